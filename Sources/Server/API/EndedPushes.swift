import BelfryCore
import BelfryRecords
import BelfryWeChat
import Logging

extension ServerDependencies {
    /// Looked up and written at once; the timeline does other work between two of them.
    private static let page = 500

    /// Cancels pushes, writes down how those that waited ended, parked ones among them, and gives back the permission that they kept. What a worker holds, its
    /// settlement ends.
    func cancel(_ ids: [PushID], by name: String) async throws -> [CancelOutcome] {
        var found: [Pending?] = []
        for start in stride(from: 0, to: ids.count, by: Self.page) {
            found += try await timeline.find(Array(ids.dropFirst(start).prefix(Self.page)))
        }
        let outcomes = try await timeline.cancel(ids)
        // Whose a damaged push was cannot be read, so that no line can be written for it.
        let cancelled = zip(found, outcomes).compactMap { $0.1.hasEndedWaiting ? $0.0 : nil }
            .filter { $0.state != .damaged }
        await recordCancelled(cancelled, by: name)
        return outcomes
    }

    /// They are cancelled whatever becomes of the lines.
    private func recordCancelled(_ pushes: [Pending], by name: String) async {
        let now = clock.now()
        let cause = SendCause(code: Outcome.cancelled.rawValue, message: "cancelled by \(name)")
        let kept = KeptReservations(records: records, timeline: timeline, accounts: accounts)
        for start in stride(from: 0, to: pushes.count, by: Self.page) {
            let part = pushes.dropFirst(start).prefix(Self.page)
            let lines = part.flatMap { DeliveryRecord.ended($0, .cancelled, cause, at: now) }
            do {
                try await kept.giveBack(
                    part.filter(\.mayHoldPermission).map(ReservationKey.init),
                    adding: lines
                )
                feed.publish(lines)
            } catch {
                logger.error(
                    "ends of cancelled pushes not recorded",
                    metadata: ["count": "\(lines.count)", "error": "\(error)"]
                )
            }
        }
    }

    /// Writes down that one push came to be, or took the place of an older version.
    func recordScheduled(_ push: Push, _ outcome: ScheduleOutcome) {
        let now = clock.now()
        var lines: [DeliveryRecord] = []
        if outcome.hasReplaced { lines.append(replaced(by: push, at: now)) }
        if outcome == .accepted || outcome == .replaced {
            lines.append(.scheduled(push, position: nil, at: now))
        }
        late.add(lines)
    }

    /// Writes down the ends of versions that a bulk request replaced, as far as the records keep up.
    func recordReplaced(_ batch: PushBatch, _ outcomes: [ScheduleOutcome]) {
        guard late.room > 0 else { return }
        recordReplaced(batch.pushes(outcomes, that: \.hasReplaced))
    }

    /// Writes down the ends of versions whose place these took.
    func recordReplaced(_ pushes: [Push]) {
        let now = clock.now()
        late.add(pushes.map { replaced(by: $0, at: now) })
    }

    private func replaced(by push: Push, at now: Timestamp) -> DeliveryRecord {
        .replaced(by: push, sequence: late.standIn(at: now), at: now)
    }
}

extension Pending {
    /// Whether it has been at the gate, which may have reserved permission for it.
    fileprivate var mayHoldPermission: Bool {
        (attempt > 0 || push.due > asked)
            && (push.id.isOfFlow || WeChatInterface(rawValue: push.channel) != nil)
    }
}

extension ReservationKey {
    fileprivate init(_ pending: Pending) {
        self.init(
            recipient: pending.push.recipient,
            push: pending.push.id,
            sequence: pending.sequence
        )
    }
}
