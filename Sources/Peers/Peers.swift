package import BelfryBench

extension Benchmark {
    /// The peers that speak a simple protocol, in the order in which they run.
    package static let simplePeers: [Benchmark] = [
        scheduleRedis, memoryRedis, scheduleBeanstalkd, scheduleBeanstalkdDefault,
    ]
}
