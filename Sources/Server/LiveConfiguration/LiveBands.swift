import BelfryActivation
import BelfryCore

/// The bands that are set while the server runs, in place of what a flow, a topic or a caller asks for. They are given when a push is scheduled; what is
/// pending keeps the band that it has.
extension LiveSettings {
    private var hasBands: Bool {
        !flowPriorities.isEmpty || !topicPriorities.isEmpty
            || accounts.values.contains { $0.priority != nil }
    }

    /// The band of a push; `nil`: its own. What is said of its flow or topic goes before what is said of its account.
    func band(of push: Push) -> Priority? {
        let own =
            if push.id.isOfReminder {
                ReminderID(push.id).flatMap { topicPriorities[$0.topic] }
            } else {
                FlowName(push).flatMap { flowPriorities[$0] }
            }
        return own ?? accounts[push.recipient.account]?.priority
    }

    func banded(_ batch: PushBatch) -> PushBatch {
        guard hasBands else { return batch }
        var batch = batch
        batch.setPriorities { band(of: $0) }
        return batch
    }

    /// With the bands of the successors, which are scheduled by it.
    func banded(_ settlements: [Settlement]) -> [Settlement] {
        guard hasBands else { return settlements }
        return settlements.map { settlement in
            var settlement = settlement
            for index in settlement.successors.indices {
                if let band = band(of: settlement.successors[index]) {
                    settlement.successors[index].priority = band
                }
            }
            return settlement
        }
    }
}
