#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Puts requests on a server over some connections, each on a thread of its own.
struct Load: Sendable {
    var port: Int
    var connections: Int
    /// Requests a second, all connections together; `nil`: as fast as answers come.
    var rate: Double?

    struct Outcome: Sendable {
        var seconds: Double
        var answers: [RawAnswer]
        /// From the moment a request was to be sent (not from when it could be, so that waiting for a slow answer counts) until its
        /// answer was read, in milliseconds, sorted.
        var latencies: [Double]

        func percentile(_ part: Double) -> Double {
            guard !latencies.isEmpty else { return 0 }
            return latencies[min(latencies.count - 1, Int(Double(latencies.count) * part))]
        }
    }

    /// Sends each request once.
    ///
    /// - Throws: ``LoadFailure`` of the first connection that broke.
    func run(_ requests: [[UInt8]]) async throws -> Outcome {
        let start = Self.nanoseconds() + 1_000_000
        let shares = try await withThrowingTaskGroup(of: Share.self) { group in
            // A connection that has nothing to send is not opened.
            for index in 0..<min(connections, requests.count) {
                group.addTask {
                    try await Blocking.run("belfry.load.\(index)") {
                        try work(requests, index, start)
                    }
                }
            }
            var shares: [Share] = []
            for try await share in group { shares.append(share) }
            return shares
        }
        return Outcome(
            seconds: Double((shares.map(\.ended).max() ?? start) - start) / 1e9,
            answers: shares.flatMap(\.answers),
            latencies: shares.flatMap(\.latencies).sorted()
        )
    }

    private struct Share: Sendable {
        var answers: [RawAnswer] = []
        var latencies: [Double] = []
        var ended: UInt64 = 0
    }

    /// Every `connections`th request, from the `first` on.
    private func work(_ requests: [[UInt8]], _ first: Int, _ start: UInt64) throws -> Share {
        var connection = try RawConnection(port: port)
        var share = Share()
        for index in stride(from: first, to: requests.count, by: connections) {
            var begin = Self.nanoseconds()
            if let rate {
                let planned = start + UInt64(Double(index) / rate * 1e9)
                if planned > begin { Self.sleep(planned - begin) }
                begin = planned
            }
            share.answers.append(try connection.exchange(requests[index]))
            share.latencies.append(Double(Self.nanoseconds() - begin) / 1e6)
        }
        share.ended = Self.nanoseconds()
        return share
    }

    private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func sleep(_ nanoseconds: UInt64) {
        var span = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000),
            tv_nsec: Int(nanoseconds % 1_000_000_000)
        )
        var rest = timespec()
        while nanosleep(&span, &rest) != 0, errno == EINTR { span = rest }
    }
}
