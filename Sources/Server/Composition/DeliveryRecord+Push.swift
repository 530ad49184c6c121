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
}
