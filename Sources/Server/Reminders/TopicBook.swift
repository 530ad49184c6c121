import BelfryActivation
import BelfryCore
import BelfryRecords
import Synchronization

/// The topics as they are now, in memory: asked for every reminder that is due, written when somebody changes one, here or through another server.
package final class TopicBook: Sendable {
    /// A topic, and which state of it this is.
    struct Entry: Sendable {
        var topic: ReminderTopic
        var isClosed: Bool
        /// `TopicRecord/revision`.
        var revision: Int
        var updated: Timestamp

        /// - Throws: ``Problem`` where what is kept can no longer be read.
        init(_ record: TopicRecord) throws(Problem) {
            topic = try TopicFields.topic(record)
            isClosed = record.state == .closed
            revision = record.revision
            updated = record.updated
        }
    }

    private let entries = Mutex<[String: Entry]>([:])

    package init() {}

    subscript(key: String) -> Entry? { entries.withLock { $0[key] } }

    /// Takes what was written last, whatever the order in which writers come by.
    func put(_ entry: Entry) {
        entries.withLock { entries in
            let key = entry.topic.key
            if let known = entries[key],
                (known.revision, known.updated) > (entry.revision, entry.updated)
            {
                return
            }
            entries[key] = entry
        }
    }

    /// Reads every topic. Once, before anything is sent.
    ///
    /// - Returns: the keys of those that cannot be read.
    func load(from records: Records) async throws -> [String] {
        var unreadable: [String] = []
        var cursor: String?
        repeat {
            let page = try await records.topics.list(limit: 1000, cursor: cursor)
            for record in page.items {
                do { put(try Entry(record)) } catch { unreadable.append(record.topic) }
            }
            cursor = page.next
        } while cursor != nil
        return unreadable
    }
}
