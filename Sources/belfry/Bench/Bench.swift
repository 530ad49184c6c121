import ArgumentParser
import BelfryBench

/// `belfry bench`: how fast this machine is, against its own raw limits.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure, and compare with the raw limits of this machine in the same run."
    )

    @OptionGroup var options: BenchmarkOptions

    func validate() throws { try options.check(among: Benchmark.all) }

    func run() async throws {
        #if DEBUG
        if !options.list {
            printError("this is a debug build; its numbers say little. Build with `make build`.")
        }
        #endif
        try await options.run(among: Benchmark.all)
    }
}
