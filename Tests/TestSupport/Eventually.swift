/// Something that should have come about did not within the time allowed.
package struct NeverHappened: Error, CustomStringConvertible {
    package var description: String

    package init(description: String) { self.description = description }
}

/// Looks again and again, in real time, until `condition` holds: for what other threads and processes do.
///
/// - Throws: ``NeverHappened`` after `patience`, or what `condition` throws.
package func eventually(
    _ what: String,
    within patience: Duration = .seconds(180),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + patience
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw NeverHappened(description: what) }
        try await Task.sleep(for: .milliseconds(5))
    }
}
