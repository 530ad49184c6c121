#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What one thread of a ``Load`` does: it waits for answers on many connections at once, and sends what is next on each.
struct LoadThread {
    struct Share: Sendable {
        var answers: [RawAnswer] = []
        var latencies: [Double] = []
        var ended: UInt64 = 0
    }

    /// A connection and where it is in its requests.
    private struct Line {
        let connection: RawConnection
        /// The request to send next.
        var next: Int
        /// When the request that is under way was to be sent; `nil`: none is.
        var began: UInt64?
    }

    private let requests: [[UInt8]]
    private let step: Int
    private let start: UInt64
    private let rate: Double?
    private var lines: [Line]
    private var share = Share()

    /// - Parameters:
    ///   - firsts: the first request of each connection, which then takes every `step`th.
    ///   - start: when the first of all requests is to be sent, nanoseconds of the monotonic clock.
    init(
        _ requests: [[UInt8]],
        port: Int,
        firsts: some Sequence<Int>,
        step: Int,
        start: UInt64,
        rate: Double?
    ) throws(LoadFailure) {
        self.requests = requests
        self.step = step
        self.start = start
        self.rate = rate
        lines = []
        for first in firsts {
            lines.append(Line(connection: try RawConnection(port: port), next: first))
        }
    }

    /// Returns when every request was answered.
    mutating func run() throws(LoadFailure) -> Share {
        while true {
            let soonest = try sendWhatIsDue()
            let waiting = lines.indices.filter { lines[$0].began != nil }
            if waiting.isEmpty && soonest == nil { break }
            try receive(waiting, until: soonest)
        }
        share.ended = SteadyTime.nanoseconds()
        return share
    }

    /// - Returns: when the next request is to be sent; `nil`: not before an answer has come, or never.
    private mutating func sendWhatIsDue() throws(LoadFailure) -> UInt64? {
        var soonest: UInt64?
        for index in lines.indices where lines[index].began == nil {
            guard lines[index].next < requests.count else { continue }
            let now = SteadyTime.nanoseconds()
            let planned = rate.map { start + UInt64(Double(lines[index].next) / $0 * 1e9) } ?? now
            guard planned <= now else {
                soonest = min(soonest ?? planned, planned)
                continue
            }
            lines[index].began = planned
            try lines[index].connection.send(requests[lines[index].next])
        }
        return soonest
    }

    private mutating func receive(_ waiting: [Int], until soonest: UInt64?) throws(LoadFailure) {
        var polled = waiting.map {
            pollfd(fd: lines[$0].connection.descriptor, events: Int16(POLLIN), revents: 0)
        }
        let ready = poll(&polled, nfds_t(polled.count), Self.milliseconds(until: soonest))
        guard ready >= 0 || errno == EINTR else {
            throw LoadFailure("poll: \(String(cString: strerror(errno)))")
        }
        guard ready > 0 else { return }
        for (index, state) in zip(waiting, polled) where state.revents != 0 {
            guard let answer = try lines[index].connection.receive(),
                let began = lines[index].began
            else { continue }
            share.answers.append(answer)
            share.latencies.append(Double(SteadyTime.nanoseconds() - began) / 1e6)
            lines[index].began = nil
            lines[index].next += step
        }
    }

    /// Rounded up: a thread that looks too early looks twice. -1 waits for an answer alone.
    private static func milliseconds(until soonest: UInt64?) -> Int32 {
        guard let soonest else { return -1 }
        let now = SteadyTime.nanoseconds()
        return soonest > now ? Int32((soonest - now + 999_999) / 1_000_000) : 0
    }
}
