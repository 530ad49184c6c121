package import BelfryCore

/// Where somebody stands with a topic.
package enum ReminderStanding: Sendable, Hashable {
    /// Never subscribed, or cancelled.
    case out
    case subscribed
    /// The reminder was handed over.
    case sent
}

/// What becomes of a reminder that is due.
package enum ReminderVerdict: Sendable, Hashable {
    /// Goes now, and with it these, by the time they are due; the reminder itself is one of them.
    case send([ReminderTopic])
    case hold(until: Timestamp, reason: String)
    case end(Outcome, code: String, reason: String)
}

extension ReminderTopic {
    /// So long the others of a group wait for the one that carries them before one of them does it: it may be tried again, or be gone.
    package static let carrierGrace = Duration.seconds(1)

    /// Decides about a reminder that the timeline handed over. Pure.
    ///
    /// - Parameters:
    ///   - due: when the push was due. What was planned before the topic moved waits for the new time.
    ///   - others: what else the person is subscribed to and has not got.
    package func verdict(
        standing: ReminderStanding,
        due planned: Timestamp,
        others: [ReminderTopic],
        now: Timestamp
    ) -> ReminderVerdict {
        switch standing {
        case .out:
            return .end(
                .cancelled,
                code: "not_subscribed",
                reason: "the person does not want to be reminded any more"
            )
        case .sent:
            return .end(
                .merged,
                code: Outcome.merged.rawValue,
                reason: "was told in a message that has been sent"
            )
        case .subscribed: break
        }
        if isExpired(at: now) {
            return .end(.expired, code: Outcome.expired.rawValue, reason: "the topic is over")
        }
        // Neither clock is asked about a push that was planned for this very time: it is due by the timeline's.
        if due > now, planned < due {
            return .hold(until: due, reason: "the topic has moved to a later time")
        }
        let group = ReminderGroup(of: self, among: others.filter { !$0.isExpired(at: now) })
        if group.newest.key == key { return .send(group.members) }
        let patience = group.due + Self.carrierGrace
        if now < patience {
            return .hold(
                until: patience,
                reason: "goes together with \(group.newest.key), which is due later"
            )
        }
        return .send(group.members)
    }
}
