import BelfryCore
import BelfryRecords
import Logging

extension ServerDependencies {
    /// Writes the ends of pushes that became one with another when they were scheduled.
    ///
    /// They are accepted whatever becomes of the line: refusing now what the timeline has taken would make the caller send it again.
    func recordMerged(_ pushes: [Push]) async {
        guard !pushes.isEmpty else { return }
        let now = clock.now()
        let lines = pushes.map { DeliveryRecord.merged($0, at: now) }
        do {
            try await records.deliveries.append(lines)
            feed.publish(lines)
        } catch {
            logger.error(
                "ends of merged pushes not recorded",
                metadata: ["count": "\(lines.count)", "error": "\(error)"]
            )
        }
    }
}

extension PushBatch {
    /// The pushes whose outcome is `wanted`. Unpacks those alone, so that a batch with none of them costs a look at its outcomes.
    func pushes(_ outcomes: [ScheduleOutcome], that wanted: (ScheduleOutcome) -> Bool) -> [Push] {
        guard outcomes.contains(where: wanted) else { return [] }
        var pushes: [Push] = []
        let bytes = bytes.span
        var offset = 0
        for outcome in outcomes {
            guard let record = PushRecord(bytes, at: offset) else { break }
            if wanted(outcome) { pushes.append(record.push(in: bytes)) }
            offset += record.length
        }
        return pushes
    }
}
