import BelfryActivation
import BelfryCore
import BelfryRecords

/// How far a pass over a topic's people has come.
package struct MoveStep: Sendable {
    /// Go on behind this person; `nil`: the pass is over.
    package var next: String?
    /// So many are on their way out; what becomes of them decides whether they move.
    package var left = 0
}

/// A topic that has changed takes everybody with it. Who has followed is written beside each subscription (the revision), so that whoever comes
/// after a crash goes on where the last one stopped, and nobody is moved who was moved, or reminded, before.
extension ReminderDesk {
    /// So many people are moved at once; others may subscribe and cancel, and reminders go out, between two such steps.
    static let step = 500

    /// Takes the next people along to the newest time of a topic.
    package func move(_ key: String, after person: String) async throws -> MoveStep {
        guard let entry = topics[key] else { return MoveStep() }
        let behind = try await records.reminders.behind(
            key,
            revision: entry.revision,
            after: person,
            limit: Self.step
        )
        guard let last = behind.last else { return MoveStep() }
        let left = try await book.alone(with: Set(behind.map(\.recipient))) {
            try await move(behind.map(\.key), entry)
        }
        return MoveStep(
            next: behind.count < Self.step ? nil : last.recipient.person,
            left: left
        )
    }

    /// - Returns: how many are on their way.
    private func move(_ keys: [ReminderKey], _ entry: TopicBook.Entry) async throws -> Int {
        let now = clock.now()
        // Looked at again: until now others may have worked on them.
        let behind = try await records.reminders.find(keys).values
            .filter { $0.state == .subscribed && $0.revision < entry.revision }
        let waiting = behind.filter { !book.isAboard($0.key, at: now) }
        if entry.isClosed {
            try await close(waiting, entry, now)
        } else {
            let sent = try await sent(waiting, now)
            let moving = waiting.filter { !sent.contains($0.key) }
            if !moving.isEmpty {
                try await timeline.schedule(
                    moving.map { entry.topic.push(for: $0.recipient.person) }
                )
            }
            try await records.reminders.save(
                waiting.map { record in
                    var record = record
                    record.revision = entry.revision
                    if sent.contains(record.key) {
                        record.state = .sent
                        record.outcome = .unknown
                    } else {
                        record.due = entry.topic.due
                    }
                    return record
                },
                isFollowing: true
            )
        }
        return behind.count - waiting.count
    }

    /// Those that were due and are gone from the timeline, and of which nothing is known: handed over by a process that crashed before it could write that
    /// down. They are not brought back.
    private func sent(_ reminders: [ReminderRecord], _ now: Timestamp) async throws
        -> Set<ReminderKey>
    {
        let overdue = reminders.filter { $0.due <= now }
        guard !overdue.isEmpty else { return [] }
        let found = try await timeline.find(overdue.map(\.key.push))
        return Set(zip(overdue, found).filter { $0.1 == nil }.map(\.0.key))
    }

    private func close(_ reminders: [ReminderRecord], _ entry: TopicBook.Entry, _ now: Timestamp)
        async throws
    {
        let lines = reminders.map {
            DeliveryRecord.cancelled(
                $0,
                topics,
                by: "closing the topic",
                code: "topic_closed",
                at: now
            )
        }
        try await records.reminders.save(
            reminders.map { record in
                var record = record
                record.state = .cancelled
                record.outcome = .cancelled
                record.revision = entry.revision
                return record
            },
            adding: lines,
            isFollowing: true
        )
        feed.publish(lines)
        try await withdraw(reminders, now)
    }
}
