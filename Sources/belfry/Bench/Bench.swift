import ArgumentParser
import BelfryBench

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `belfry bench`: how fast this machine is, against its own raw limits.
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure, and compare with the raw limits of this machine in the same run."
    )

    @Option(help: "Run this one alone; may be repeated.")
    var only: [String] = []
    @Option(help: "How much work to do, compared to the usual amount.")
    var scale = 1.0
    @Option(help: "The folder whose disk is measured. (default: the one for temporary files)")
    var folder: String?
    @Flag(help: "Only list what there is.")
    var list = false
    @Flag(help: "Print one JSON object a line.")
    var json = false

    func validate() throws {
        guard scale > 0, scale <= 1000 else {
            throw ValidationError("--scale must be above 0 and at most 1000.")
        }
        let unknown = Benchmark.named(only).unknown
        guard unknown.isEmpty else {
            let known = Benchmark.all.map(\.name).joined(separator: ", ")
            throw ValidationError("There is no benchmark '\(unknown[0])'; there are \(known).")
        }
    }

    func run() async throws {
        let (benchmarks, _) = Benchmark.named(only)
        if list { return show(benchmarks) }
        #if DEBUG
        printError("this is a debug build; its numbers say little. Build with `make build`.")
        #endif
        let place = folder ?? FileManager.default.temporaryDirectory.path()
        if !json { printRow("benchmark", "value", "unit", "raw limit", "ratio") }
        try await BenchmarkRun(benchmarks, folder: place, scale: scale).run { measurements in
            for measurement in measurements {
                if json { print(measurement.json) } else { show(measurement) }
            }
            flushOutput()
        }
    }

    private func show(_ benchmarks: [Benchmark]) {
        if json {
            for benchmark in benchmarks { print(#"{"name":"\#(benchmark.name)"}"#) }
            return
        }
        var table = Table("benchmark", "what")
        for benchmark in benchmarks { table.add(benchmark.name, benchmark.summary) }
        table.print(whenEmpty: "there are no benchmarks")
    }

    private func show(_ measurement: Measurement) {
        printRow(
            measurement.name,
            Figure.text(measurement.value),
            measurement.unit,
            measurement.reference.map(Figure.text) ?? "",
            measurement.ratio.map(Figure.text) ?? ""
        )
    }

    /// Rows come minutes apart, so the widths are fixed.
    private func printRow(
        _ name: String,
        _ value: String,
        _ unit: String,
        _ reference: String,
        _ ratio: String
    ) {
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        func left(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
        print(
            left(name, 24) + right(value, 12) + " " + left(unit, 12) + right(reference, 12)
                + right(ratio, 8)
        )
    }
}

/// A number with a sensible count of digits and its thousands apart.
enum Figure {
    static func text(_ value: Double) -> String {
        if value < 1000 {
            let digits = value < 10 ? 1000.0 : 10.0
            return String((value * digits).rounded() / digits)
        }
        var result = ""
        for (index, digit) in String(Int64(value.rounded())).reversed().enumerated() {
            if index > 0, index % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return String(result.reversed())
    }
}
