import BelfryCore
import BelfryJournal
import BelfrySimulation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Benchmark {
    /// An hour of a busy timeline, in which only the clock is made up: what is due is claimed and settled, the rest stays.
    static let diskOverLive = Benchmark(
        "disk.over-live",
        "Bytes on disk after an hour of 1,000 pushes a second, due in a second to a year, against the bytes of the pushes still pending"
    ) { setting in
        let folder = setting.folder + "/journal"
        var churn = try await Churn(
            folder: folder,
            lanes: setting.lanes,
            each: setting.count(1000, least: 10)
        )
        var worst = (disk: 0, live: 1)
        for second in 0..<3600 {
            try await churn.passSecond()
            guard second >= 1800, second % 60 == 0 else { continue }
            let now = try await churn.usage()
            if now.disk * worst.live > worst.disk * now.live { worst = now }
        }
        let end = try await churn.usage()
        await churn.timeline.close()
        return [
            Measurement("disk.over-live", Double(end.disk), "bytes", reference: Double(end.live)),
            Measurement(
                "disk.over-live.worst",
                Double(worst.disk),
                "bytes",
                reference: Double(worst.live)
            ),
        ]
    }
}

/// A timeline on a clock that moves a second at a time.
private struct Churn {
    let timeline: JournalTimeline
    private let folder: String
    private let each: Int
    private let clock: ManualClock
    private var random = SplitMix64(seed: 1)
    private var serial = 0
    private var recordBytes = 0

    /// - Parameter each: pushes scheduled every second.
    init(folder: String, lanes: Int?, each: Int) async throws {
        self.folder = folder
        self.each = each
        clock = ManualClock()
        timeline = try await JournalTimeline.open(
            measured: folder,
            lanes: lanes,
            clock: clock
        )
    }

    mutating func passSecond() async throws {
        clock.advance(by: .seconds(1))
        let now = clock.now()
        let batch = try BenchPushes.packed(serial..<serial + each) { _ in now + delay() }
        serial += each
        // All ids have the same length.
        recordBytes = batch.bytes.count / batch.count
        _ = try await timeline.schedule(batch)
        while true {
            let claims = try await timeline.claim(limit: 2000, lease: .seconds(60)).claims
            if claims.isEmpty { return }
            _ = try await timeline.settle(claims.map { Settlement(token: $0.token, result: .done) })
        }
    }

    /// Bytes on disk, and bytes of the pushes that are pending.
    func usage() async throws -> (disk: Int, live: Int) {
        let pending = try await timeline.counts().scheduled
        return (try Folder.bytes(in: folder), pending * recordBytes)
    }

    /// From a second to a year, every order of magnitude as often as the others.
    private mutating func delay() -> Duration {
        let year = 365.0 * 86_400_000
        let part = Double.random(in: 0...1, using: &random)
        return .milliseconds(Int64(1000 * pow(year / 1000, part)))
    }
}
