/// Something that is measured, and how.
package struct Benchmark: Sendable {
    /// What `--only` takes, such as `schedule.durable`.
    package let name: String
    /// One line: what is measured against what.
    package let summary: String
    /// Measures; the name of each measurement is the benchmark's own or begins with it.
    package let run: @Sendable (BenchmarkSetting) async throws -> [Measurement]

    package init(
        _ name: String,
        _ summary: String,
        run: @escaping @Sendable (BenchmarkSetting) async throws -> [Measurement]
    ) {
        self.name = name
        self.summary = summary
        self.run = run
    }
}

/// Where and how much a benchmark may work.
package struct BenchmarkSetting: Sendable {
    /// An empty folder on the disk that is measured; removed afterwards.
    package let folder: String
    /// How much work is done compared to the usual amount; above zero.
    package let scale: Double
    /// Of the embedded timeline; `nil`: the usual number.
    package let lanes: Int?

    package init(folder: String, scale: Double = 1, lanes: Int? = nil) {
        self.folder = folder
        self.scale = scale
        self.lanes = lanes
    }

    /// A usual amount of work, scaled; at least `least`.
    package func count(_ usual: Int, least: Int = 1) -> Int {
        max(least, Int(Double(usual) * scale))
    }
}
