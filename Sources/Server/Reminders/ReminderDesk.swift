import BelfryActivation
package import BelfryCore
package import BelfryRecords

/// Subscribes people to topics and cancels that again, a batch at a time: one look into the records, one call of the timeline, one transaction.
///
/// A subscription is *scheduled first, then recorded*: a crash between the two leaves a push that nobody was told of, and that the gate
/// drops. A cancel is recorded first, then taken out of the timeline: from the record on the gate lets nothing through. Either may be repeated.
package struct ReminderDesk: Sendable {
    package let topics: TopicBook
    package let book: ReminderBook
    package let bell: MoverBell
    /// `nil`: nobody else writes topics.
    let books: BookFollower?
    let records: Records
    let timeline: any Timeline
    let clock: any WallClock
    let feed: LiveFeed

    package init(
        topics: TopicBook = TopicBook(),
        book: ReminderBook = ReminderBook(),
        bell: MoverBell = MoverBell(),
        books: BookFollower? = nil,
        records: Records,
        timeline: any Timeline,
        clock: any WallClock,
        feed: LiveFeed
    ) {
        self.topics = topics
        self.book = book
        self.bell = bell
        self.books = books
        self.records = records
        self.timeline = timeline
        self.clock = clock
        self.feed = feed
    }

    /// So many wishes go at once.
    package static let batch = 1_000

    /// Does what is wished, in order; of several wishes of one person the last one wins.
    ///
    /// - Parameters:
    ///   - who: for the history.
    ///   - isTold: whether each subscription gets a line in the history. Ends always have one.
    /// - Returns: one answer for each, in order, when everything is durable.
    /// - Throws: `TimelineError`, `RecordsError`: what was wished may have been done in part; repeating it is safe.
    package func take(_ wishes: [ReminderWish], by who: String, isTold: Bool = true) async throws
        -> [ReminderAnswer]
    {
        if wishes.contains(where: { topics[$0.key.topic] == nil }) { try await books?.catchUp() }
        let people = Set(
            wishes.compactMap { wish in
                topics[wish.key.topic].map {
                    Recipient(account: $0.topic.account, person: wish.key.person)
                }
            }
        )
        return try await book.alone(with: people) { try await work(wishes, who, isTold) }
    }

    private func work(_ wishes: [ReminderWish], _ who: String, _ isTold: Bool) async throws
        -> [ReminderAnswer]
    {
        let known = try await records.reminders.find(Set(wishes.map(\.key)))
        let now = clock.now()
        var sheet = ReminderSheet(known, now: now)
        var answers = wishes.map { answer($0, &sheet) }
        let pushes = sheet.changed(to: .subscribed).compactMap { record in
            topics[record.topic]?.topic.push(for: record.recipient.person)
        }
        // The others have no push that waits.
        let cancelled = sheet.changed(to: .cancelled).filter {
            known[$0.key]?.state == .subscribed
        }
        if !pushes.isEmpty { try await timeline.schedule(pushes) }
        let lines =
            (isTold ? pushes.map { .scheduled($0, position: nil, at: now) } : [])
            + cancelled.map { DeliveryRecord.cancelled($0, topics, by: who, at: now) }
        try await save(sheet.changed.compactMap { sheet.records[$0] }, lines)
        let late = try await withdraw(cancelled, now)
        for (index, wish) in wishes.enumerated() where answers[index] == .cancelled {
            answers[index] = late[wish.key] ?? .cancelled
        }
        return answers
    }

    private func answer(_ wish: ReminderWish, _ sheet: inout ReminderSheet) -> ReminderAnswer {
        guard let entry = topics[wish.key.topic] else { return .unknownTopic }
        switch wish.act {
        case .subscribe: return sheet.subscribe(wish.key, to: entry)
        case .cancel:
            return sheet.cancel(wish.key, isAboard: book.isAboard(wish.key, at: sheet.now))
        }
    }

    private func save(_ changed: [ReminderRecord], _ lines: [DeliveryRecord]) async throws {
        guard !changed.isEmpty else { return }
        try await records.reminders.save(changed, adding: lines)
        feed.publish(lines)
        // Planned for a time that the topic has left since.
        if changed.contains(where: { topics[$0.topic].map(\.revision) ?? 0 > $0.revision }) {
            bell.ring()
        }
    }

    /// Takes cancelled reminders out of the timeline.
    ///
    /// - Returns: those for which it is, or may be, too late. What was due and is gone, a process that crashed had sent and could not write that down;
    ///   what a worker holds may be past the gate of another server, whose ``ReminderBook`` is not ours.
    @discardableResult
    func withdraw(_ cancelled: [ReminderRecord], _ now: Timestamp) async throws
        -> [ReminderKey: ReminderAnswer]
    {
        guard !cancelled.isEmpty else { return [:] }
        let outcomes = try await timeline.cancel(cancelled.map(\.key.push))
        var late: [ReminderKey: ReminderAnswer] = [:]
        for (reminder, outcome) in zip(cancelled, outcomes) {
            if outcome == .gone, reminder.due <= now { late[reminder.key] = .alreadySent }
            if outcome.isInFlight, records.isShared { late[reminder.key] = .inFlight }
        }
        return late
    }
}

extension DeliveryRecord {
    /// The end of a reminder that somebody cancelled. The time stands in for its version, which nobody need ask the timeline for.
    static func cancelled(
        _ reminder: ReminderRecord,
        _ topics: TopicBook,
        by who: String,
        code: String = "cancelled",
        at now: Timestamp
    ) -> DeliveryRecord {
        DeliveryRecord(
            push: reminder.key.push,
            sequence: UInt64(max(0, now.milliseconds)),
            recipient: reminder.recipient,
            channel: topics[reminder.topic]?.topic.channel ?? "unknown",
            due: reminder.due,
            at: now,
            state: .ended(.cancelled),
            cause: SendCause(code: code, message: "cancelled by \(who)")
        )
    }
}
