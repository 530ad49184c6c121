package import ArgumentParser

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What every command that measures may be told, and how it prints.
package struct BenchmarkOptions: ParsableArguments {
    @Option(help: "Run this one alone; may be repeated.")
    package var only: [String] = []
    @Option(help: "How much work to do, compared to the usual amount.")
    package var scale = 1.0
    @Option(help: "The folder whose disk is measured. (default: the one for temporary files)")
    package var folder: String?
    @Option(help: "Lanes of the embedded timeline. (default: as in a new folder of the server)")
    package var lanes: Int?
    @Flag(help: "Only list what there is.")
    package var list = false
    @Flag(help: "Print one JSON object a line.")
    package var json = false

    package init() {}

    package func validate() throws {
        guard scale > 0, scale <= 1000 else {
            throw ValidationError("--scale must be above 0 and at most 1000.")
        }
        guard lanes.map({ 1...64 ~= $0 }) ?? true else {
            throw ValidationError("--lanes must be 1 to 64.")
        }
    }

    /// - Throws: where `--only` names a benchmark that is not among the known ones.
    package func check(among known: [Benchmark]) throws {
        guard let unknown = Benchmark.named(only, among: known).unknown.first else { return }
        let names = known.map(\.name).joined(separator: ", ")
        throw ValidationError("There is no benchmark '\(unknown)'; there are \(names).")
    }

    /// Lists, or measures and prints each benchmark's rows as soon as they are there.
    ///
    /// - Parameter header: whether a line that names the columns comes first.
    package func run(among known: [Benchmark], header: Bool = true) async throws {
        let benchmarks = Benchmark.named(only, among: known).found
        if list { return show(benchmarks) }
        let place = folder ?? FileManager.default.temporaryDirectory.path()
        if header, !json { print(ResultTable.header) }
        let run = BenchmarkRun(benchmarks, folder: place, scale: scale, lanes: lanes)
        try await run.run { measurements in
            for measurement in measurements {
                print(json ? measurement.json : ResultTable.row(measurement))
            }
            // A pipe's reader otherwise waits for a full buffer.
            fflush(nil)
        }
    }

    private func show(_ benchmarks: [Benchmark]) {
        let width = (benchmarks.map(\.name.count).max() ?? 0) + 2
        for benchmark in benchmarks {
            let gap = String(repeating: " ", count: width - benchmark.name.count)
            print(
                json
                    ? #"{"name":"\#(benchmark.name)"}"#
                    : benchmark.name + gap + benchmark.summary
            )
        }
    }
}
