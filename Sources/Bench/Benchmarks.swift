extension Benchmark {
    /// Every benchmark, in the order in which they run.
    package static let all: [Benchmark] =
        engine + lateness + [overload, burstNull, burstWebhook, scheduleHTTP, callbacksFollow]

    /// The benchmarks of these names; all of them for none.
    ///
    /// - Returns: what was found, and the names that nothing has.
    package static func named(_ names: [String], among known: [Benchmark] = all) -> (
        found: [Benchmark], unknown: [String]
    ) {
        if names.isEmpty { return (known, []) }
        let unknown = names.filter { name in !known.contains { $0.name == name } }
        return (known.filter { names.contains($0.name) }, unknown)
    }
}
