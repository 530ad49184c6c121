/// One thing that a check of a flow found.
package struct Finding: Sendable, Hashable, Codable {
    package var severity: Severity
    /// A stable short code: `unreachable`, `unknown_variable`, `reach`, …
    package var code: String
    /// The step it is about, `nil` for the flow as a whole.
    package var step: String?
    /// Where it stands in the file, where the flow came from one.
    package var position: SourcePosition?
    package var message: String
    /// For a finding that says who can be reached.
    package var reach: Reachability?

    package enum Severity: String, Sendable, Hashable, Codable, CaseIterable {
        /// The flow is refused.
        case error
        case warning
        case note
    }

    package init(
        _ severity: Severity,
        _ code: String,
        step: String? = nil,
        position: SourcePosition? = nil,
        message: String,
        reach: Reachability? = nil
    ) {
        self.severity = severity
        self.code = code
        self.step = step
        self.position = position
        self.message = message
        self.reach = reach
    }
}

/// Whom a step can be sent to, as far as its author can know.
package enum Reachability: String, Sendable, Hashable, Codable, CaseIterable {
    /// Everybody who enters, whatever they do.
    case everyone
    /// Only people who write (or open a window otherwise) at the right time.
    case afterWriting = "after_writing"
    /// Nobody, whatever they do.
    case never
}

extension [Finding] {
    /// Whether a flow with these findings may be published.
    package var isAccepted: Bool { !contains { $0.severity == .error } }
}
