import BelfryActivation
import BelfryCore
import BelfryRecords

extension DeliveryRecord {
    /// The line that says that a push came to be.
    ///
    /// The timeline gives the sequence of a version when it accepts it, and does not tell; the due time stands in for it, so that each
    /// step of a flow, which all share one id, has its line.
    static func scheduled(
        _ push: Push,
        position: FlowPosition?,
        at now: Timestamp
    ) -> DeliveryRecord {
        DeliveryRecord(
            push: push.id,
            sequence: UInt64(max(0, push.due.milliseconds)),
            recipient: push.recipient,
            flow: position?.flow,
            step: position?.step,
            channel: push.channel,
            due: push.due,
            at: now,
            state: .waiting(.scheduled)
        )
    }

    /// The line that says that a push became one with another of the same merge key, under whose id everything else will be told.
    ///
    /// Its version has no sequence either. The step's own moment stands in for it: the same whether the timeline says so when the push is
    /// scheduled, or the merged push shows it when it is claimed.
    static func merged(_ push: Push, at now: Timestamp) -> DeliveryRecord {
        merged(
            push.id,
            of: push.recipient,
            position: FlowPosition(push),
            channel: push.channel,
            due: push.due,
            at: now
        )
    }

    /// The steps of flows that a claim has shown to be merged into it: the timeline does not tell what became of successors.
    static func merged(into claim: Claim, at now: Timestamp) -> [DeliveryRecord] {
        merged(into: claim.push, claim.collected, at: now)
    }

    private static func merged(into push: Push, _ collected: [[UInt8]], at now: Timestamp)
        -> [DeliveryRecord]
    {
        guard push.merge != nil else { return [] }
        let recipient = push.recipient
        return (collected + [push.payload]).compactMap { payload in
            // Pushes of other origin may share the key; their ends were told when they were scheduled.
            guard let position = try? FlowPosition(payload: payload) else { return nil }
            let id = FlowPlanner.id(
                account: recipient.account,
                flow: position.flow,
                person: recipient.person
            )
            guard id != push.id else { return nil }
            return merged(
                id,
                of: recipient,
                position: position,
                channel: push.channel,
                due: position.due,
                at: now
            )
        }
    }

    private static func merged(
        _ id: PushID,
        of recipient: Recipient,
        position: FlowPosition?,
        channel: String,
        due: Timestamp,
        at now: Timestamp
    ) -> DeliveryRecord {
        DeliveryRecord(
            push: id,
            sequence: UInt64(max(0, (position?.due ?? due).milliseconds)),
            recipient: recipient,
            flow: position?.flow,
            step: position?.step,
            channel: channel,
            due: due,
            at: now,
            state: .ended(.merged),
            cause: SendCause(
                code: Outcome.merged.rawValue,
                message: "became one with another push of the same merge key"
            )
        )
    }

    /// The lines of a push that ended while it waited, and of the steps that had merged into it, which nobody will claim now.
    static func ended(
        _ found: Pending,
        _ outcome: Outcome,
        _ cause: SendCause,
        at now: Timestamp
    ) -> [DeliveryRecord] {
        let position = FlowPosition(found.push)
        let line = DeliveryRecord(
            push: found.push.id,
            sequence: found.sequence,
            attempt: found.attempt,
            recipient: found.push.recipient,
            flow: position?.flow,
            step: position?.step,
            channel: found.push.channel,
            due: found.push.due,
            asked: found.asked,
            at: now,
            state: .ended(outcome),
            cause: cause
        )
        return [line] + merged(into: found.push, found.collected, at: now)
    }

    /// The line of a version that waited until this one took its place. The timeline does not tell what it was.
    ///
    /// - Parameter sequence: what stands in for its own.
    static func replaced(by push: Push, sequence: UInt64, at now: Timestamp) -> DeliveryRecord {
        DeliveryRecord(
            push: push.id,
            sequence: sequence,
            recipient: push.recipient,
            channel: push.channel,
            due: push.due,
            at: now,
            state: .ended(.replaced),
            cause: SendCause(
                code: Outcome.replaced.rawValue,
                message: "a newer version took its place, due \(TimeText.render(push.due))"
            )
        )
    }

    /// The line of somebody who was erased: how a push ended, and not whose it was.
    var anonymous: DeliveryRecord {
        var line = self
        line.recipient.person = Self.erasedPerson
        line.reference = nil
        if push.isOfFlow {
            line.push = FlowPlanner.id(
                account: recipient.account,
                flow: flow ?? "",
                person: Self.erasedPerson
            )
        }
        if let reminder = ReminderID(push) {
            line.push = ReminderID(topic: reminder.topic, person: Self.erasedPerson).push
        }
        return line
    }

    private static let erasedPerson = "erased"
}
