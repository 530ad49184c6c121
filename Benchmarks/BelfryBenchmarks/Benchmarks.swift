import Benchmark

/// Micro-benchmarks of the pure parts: `BELFRY_BENCHMARKS=1 swift package benchmark`.
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
