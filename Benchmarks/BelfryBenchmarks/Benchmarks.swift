import Benchmark

/// Micro-benchmarks of the pure parts; docs/benchmarks.md tells how to run them.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput, .instructions],
        warmupIterations: 3,
        maxDuration: .seconds(2)
    )
    wheelBenchmarks()
    packingBenchmarks()
    callbackBenchmarks()
    flowBenchmarks()
}
