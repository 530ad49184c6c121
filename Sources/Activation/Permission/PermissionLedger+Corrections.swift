package import BelfryCore

/// What the other side's answer taught us about a person's permission.
package enum LedgerCorrection: Sendable, Hashable {
    /// 45015: no window is open.
    case windowClosed
    /// 45047: the open window's count is used up.
    case countUsedUp
    /// 43101: the person refused, or no consent is left for the template.
    case refused(template: String)
    /// An unsubscribe event, or 43004.
    case unfollowed
}

extension PermissionLedger {
    /// Believes the other side: closes or empties the grants that existed when the message was sent.
    ///
    /// - Parameter time: when the refused message was sent, or the event's own time. What the person did later stays open.
    package mutating func correct(_ correction: LedgerCorrection, at time: Timestamp) {
        switch correction {
        case .windowClosed:
            change { grants in
                for index in grants.indices where grants[index].isWindow(before: time) {
                    grants[index].expires = min(grants[index].expires, time)
                }
            }
        case .countUsedUp:
            change { grants in
                for index in grants.indices where grants[index].isWindow(before: time) {
                    grants[index].quota = min(
                        grants[index].quota ?? grants[index].used,
                        grants[index].used
                    )
                }
            }
        case .refused(let template):
            let source = Self.consentSource(template)
            change { $0.removeAll { $0.source == source && $0.granted <= time } }
        case .unfollowed:
            // A late unsubscribe from before a newer action: the person has come back since.
            let cameBack = grants.contains { !$0.isConsent && $0.granted > time }
            change { $0.removeAll { $0.isConsent ? !cameBack : $0.granted <= time } }
            if !cameBack { markUnfollowed(max(unfollowed ?? time, time)) }
        }
    }

    /// Forgets messages from before any window that could still be open, and windows that have ended: except those that a remembered
    /// message was taken from, which an action that we hear of late may still replace, and the newest, which says since when nothing is open.
    package mutating func prune(at time: Timestamp) {
        let longest = rules.table.values.map(\.duration).max() ?? .zero
        changeUses { $0.removeAll { $0.time + longest <= time } }
        let newest = grants.filter { !$0.isConsent }.max { $0.expires < $1.expires }
        let used = Set(uses.flatMap(\.taken))
        change { grants in
            grants.removeAll {
                !$0.isConsent && $0.expires <= time && $0 != newest && !used.contains($0.key)
            }
        }
    }
}

extension Grant {
    fileprivate func isWindow(before time: Timestamp) -> Bool { !isConsent && granted <= time }
}
