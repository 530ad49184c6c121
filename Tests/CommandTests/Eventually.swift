/// Something that should have come about did not within the time allowed.
struct NeverHappened: Error, CustomStringConvertible {
    var description: String
}

/// Looks again and again, in real time, until `condition` holds: for what other processes do.
///
/// - Throws: ``NeverHappened`` after `patience`, or what `condition` throws.
func eventually(
    _ what: String,
    within patience: Duration = .seconds(180),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + patience
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw NeverHappened(description: what) }
        try await Task.sleep(for: .milliseconds(20))
    }
}
