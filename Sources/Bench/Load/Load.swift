import Dispatch

/// Puts requests on a server over some connections, which few threads look after: what is measured is the server, not the load.
struct Load: Sendable {
    private static let threadsMax = 4

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
        // A connection that has nothing to send is not opened.
        let count = min(connections, requests.count)
        let threads = min(count, Self.threadsMax)
        let start = SteadyTime.nanoseconds() + 1_000_000
        let shares = try await withThrowingTaskGroup(of: LoadThread.Share.self) { group in
            for thread in 0..<threads {
                group.addTask {
                    try await Blocking.run("belfry.load.\(thread)") {
                        var work = try LoadThread(
                            requests,
                            port: port,
                            firsts: stride(from: thread, to: count, by: threads),
                            step: count,
                            start: start,
                            rate: rate
                        )
                        return try work.run()
                    }
                }
            }
            var shares: [LoadThread.Share] = []
            for try await share in group { shares.append(share) }
            return shares
        }
        return Outcome(
            seconds: Double((shares.map(\.ended).max() ?? start) - start) / 1e9,
            answers: shares.flatMap(\.answers),
            latencies: shares.flatMap(\.latencies).sorted()
        )
    }
}

/// The system's monotonic clock.
enum SteadyTime {
    static func nanoseconds() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
}
