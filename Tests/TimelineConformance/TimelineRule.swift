/// One case of one promise, to be tried on every engine.
///
/// An engine's tests give a factory, and run ``all`` as arguments of one parameterised test; a broken promise is thrown as
/// ``BrokenPromise``.
package struct TimelineRule: Sendable, CustomStringConvertible {
    /// `T1` to `T13` of ``Timeline``; `M1` to `M4` of ``MovableTimeline``.
    package let promise: String
    package let name: String
    /// Needs a timeline that can be opened again.
    package let needsReopening: Bool
    package let check: @Sendable (TimelineFixture) async throws -> Void

    init(
        _ promise: String,
        _ name: String,
        needsReopening: Bool = false,
        _ check: @escaping @Sendable (TimelineFixture) async throws -> Void
    ) {
        self.promise = promise
        self.name = name
        self.needsReopening = needsReopening
        self.check = check
    }

    package var description: String { "\(promise): \(name)" }

    package static let all: [TimelineRule] =
        durable + time + claims + cancels + replacements + order + merging + chains + looking
        + alarms + moves
}
