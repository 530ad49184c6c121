import BelfryActivation
import BelfryCore
package import BelfryRecords

/// What a caller wants of one reminder.
package struct ReminderWish: Sendable, Hashable {
    package enum Act: String, Sendable, Hashable, CaseIterable {
        case subscribe
        case cancel
    }

    package var key: ReminderKey
    package var act: Act

    package init(_ act: Act, _ key: ReminderKey) {
        self.key = key
        self.act = act
    }
}

/// What became of a wish.
package enum ReminderAnswer: String, Sendable, Hashable, CaseIterable {
    case subscribed
    /// Nothing had to be done.
    case already
    /// The topic has opened, or was closed.
    case tooLate = "too_late"
    /// It will never be sent.
    case cancelled
    case notSubscribed = "not_subscribed"
    case alreadySent = "already_sent"
    /// It is on its way: it may still be sent, and is not tried again.
    case inFlight = "in_flight"
    case unknownTopic = "unknown_topic"
}

/// Works out wishes in their order, so that the last word of each person wins. Pure but for the book that it looks into.
struct ReminderSheet {
    /// Where each stands now; those that are not here have never been heard of.
    private(set) var records: [ReminderKey: ReminderRecord]
    private(set) var changed: Set<ReminderKey> = []
    let now: Timestamp

    init(_ records: [ReminderKey: ReminderRecord], now: Timestamp) {
        self.records = records
        self.now = now
    }

    /// Those that end in this state, and did not begin so.
    func changed(to state: ReminderRecord.State) -> [ReminderRecord] {
        changed.compactMap { records[$0] }.filter { $0.state == state }
    }

    mutating func subscribe(_ key: ReminderKey, to entry: TopicBook.Entry) -> ReminderAnswer {
        let topic = entry.topic
        let known = records[key]
        if known?.state == .subscribed { return .already }
        // Who was told of this very opening is not told again; of another one, yes.
        if let known, known.state == .sent, known.due == topic.due { return .already }
        if entry.isClosed || topic.opening <= now { return .tooLate }
        put(
            ReminderRecord(
                topic: key.topic,
                recipient: Recipient(account: topic.account, person: key.person),
                state: .subscribed,
                due: topic.due,
                revision: entry.revision,
                since: now
            )
        )
        return .subscribed
    }

    mutating func cancel(_ key: ReminderKey, isAboard: Bool) -> ReminderAnswer {
        guard var record = records[key] else { return .notSubscribed }
        let before = record.state
        switch before {
        case .sent: return .alreadySent
        case .cancelled: return .notSubscribed
        // One that was given up might be tried again.
        case .subscribed, .ended: break
        }
        record.state = .cancelled
        record.outcome = .cancelled
        put(record)
        if before == .ended { return .notSubscribed }
        return isAboard ? .inFlight : .cancelled
    }

    private mutating func put(_ record: ReminderRecord) {
        records[record.key] = record
        changed.insert(record.key)
    }
}
