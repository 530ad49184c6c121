package import BelfryCore

/// Why nothing may be sent to a person just now, and what would open a window again.
package struct NoPermission: Error, Sendable, Hashable, CustomStringConvertible {
    package var reason: Reason
    /// What the person can do to open a window, the longest first; empty where nothing would.
    package var nextPossible: [GrantingAction]

    package enum Reason: Sendable, Hashable {
        /// The person has done nothing that opens a window.
        case neverOpened
        case windowClosed(since: Timestamp)
        /// A window is open until then, but its count is used up.
        case countUsedUp(until: Timestamp)
        case unfollowed(since: Timestamp)
        /// No consent is left for this template.
        case noConsent(template: String)
    }

    package init(reason: Reason, nextPossible: [GrantingAction]) {
        self.reason = reason
        self.nextPossible = nextPossible
    }

    package var description: String {
        let why =
            switch reason {
            case .neverOpened: "the person has done nothing that opens a window"
            case .windowClosed: "the last window has closed"
            case .countUsedUp: "the open window's count is used up"
            case .unfollowed: "the person has unfollowed"
            case .noConsent(let template): "no consent is left for template \(template)"
            }
        guard !nextPossible.isEmpty else { return why }
        let acts = nextPossible.map(\.words).joined(separator: ", ")
        return "\(why); it opens again when the person \(acts.replacingLastComma)"
    }
}

extension GrantingAction {
    /// The action in the third person: "when the person …".
    package var words: String {
        switch self {
        case .message: "writes"
        case .menu: "taps the menu"
        case .follow: "follows"
        case .scan: "scans a QR code"
        case .payment: "pays"
        }
    }
}

extension String {
    fileprivate var replacingLastComma: String {
        let parts = split(separator: ", ", omittingEmptySubsequences: false)
        guard parts.count > 1, let last = parts.last else { return self }
        return parts.dropLast().joined(separator: ", ") + " or " + last
    }
}
