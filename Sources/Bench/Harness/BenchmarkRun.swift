#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Runs benchmarks one after another, each in a folder of its own.
package struct BenchmarkRun: Sendable {
    private let benchmarks: [Benchmark]
    private let folder: String
    private let scale: Double
    private let lanes: Int?

    /// - Parameters:
    ///   - folder: on the disk to measure; folders are made in it and removed again.
    ///   - scale: how much work to do, compared to the usual amount.
    ///   - lanes: of the embedded timeline; `nil`: the usual number.
    package init(
        _ benchmarks: [Benchmark],
        folder: String,
        scale: Double = 1,
        lanes: Int? = nil
    ) {
        self.benchmarks = benchmarks
        self.folder = folder
        self.scale = scale
        self.lanes = lanes
    }

    /// Measures, and hands each benchmark's numbers over as soon as they are there.
    package func run(_ report: ([Measurement]) -> Void) async throws {
        for benchmark in benchmarks {
            let place = "\(folder)/belfry-bench-\(UUID().uuidString)"
            try FileManager.default.createDirectory(
                atPath: place,
                withIntermediateDirectories: true
            )
            let result: Result<[Measurement], any Error>
            do {
                let setting = BenchmarkSetting(folder: place, scale: scale, lanes: lanes)
                result = .success(try await benchmark.run(setting))
            } catch { result = .failure(error) }
            // What is left lies in the folder for temporary files; it is not worth hiding the benchmark's own error.
            try? FileManager.default.removeItem(atPath: place)
            report(try result.get())
        }
    }
}
