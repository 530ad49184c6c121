package import BelfryRecords
import Logging
import Synchronization

/// Keeps the books of accounts (with their flows) and of topics up with what other servers over the same records write.
///
/// It is asked every `records.poll-interval`; before anything is called unknown; and for every batch of reminders that are due, so that once a topic has
/// moved or closed no server sends what was planned before. With nothing new that is one small query; with records of one's own it is nothing.
package final class BookFollower: Sendable {
    private let records: Records
    private let accounts: AccountBook
    private let topics: TopicBook
    private let bell: MoverBell
    private let logger: Logger
    /// The newest change that the books have.
    private let seen = Mutex(0)

    init(
        records: Records,
        accounts: AccountBook,
        topics: TopicBook,
        bell: MoverBell,
        logger: Logger
    ) {
        self.records = records
        self.accounts = accounts
        self.topics = topics
        self.bell = bell
        self.logger = logger
    }

    /// Reads the books whole. Once, before anything is sent.
    package func begin() async throws {
        // Asked first: what is written meanwhile is read twice rather than never.
        let newest = try await records.bookChanges.newest()
        try await accounts.reload()
        for topic in try await topics.load(from: records) { unreadable(topic) }
        seen.withLock { $0 = newest }
    }

    /// Returns when the books have all that was written before the call.
    package func catchUp() async throws(RecordsError) {
        guard records.isShared else { return }
        while true {
            let changes = try await records.bookChanges.after(seen.withLock { $0 })
            guard let last = changes.last else { return }
            for change in changes { try await reload(change) }
            seen.withLock { $0 = max($0, last.number) }
            if changes.count < BookChanges.page { return }
        }
    }

    private func reload(_ change: BookChange) async throws(RecordsError) {
        switch change.book {
        case .accounts: try await accounts.reload(change.entry)
        case .topics:
            guard let record = try await records.topics.find(change.entry) else { return }
            do { topics.put(try TopicBook.Entry(record)) } catch { unreadable(record.topic) }
            if record.moved < record.revision { bell.ring() }
        }
    }

    private func unreadable(_ topic: String) {
        logger.error("a topic cannot be read", metadata: ["topic": "\(topic)"])
    }
}
