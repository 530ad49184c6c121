package import BelfryActivation
import BelfryCore
package import BelfryRecords

/// Making, changing and closing topics. When a call returns, every gate knows, or asks before it decides: from then on nobody is reminded before the new
/// time, or of what is closed; everybody else follows by and by.
extension ReminderDesk {
    /// Writes a topic that has been judged before.
    ///
    /// - Throws: `RecordsError` with `invalid` where it is closed.
    @discardableResult
    package func set(_ topic: ReminderTopic) async throws -> TopicRecord {
        let document = TopicFields.document(topic).text
        let record = try await records.topics.update(topic.key) { known throws(RecordsError) in
            var record =
                known
                ?? TopicRecord(
                    topic: topic.key,
                    account: topic.account,
                    opening: topic.opening,
                    document: document
                )
            guard record.state == .open else {
                throw RecordsError(
                    .invalid,
                    "topic: '\(topic.key)' is closed for good; choose another key"
                )
            }
            if let known, Self.movesPushes(known, to: topic) { record.revision += 1 }
            record.opening = topic.opening
            record.document = document
            return record
        }
        try publish(record)
        return record
    }

    /// - Returns: `nil` where there is no such topic. Closing it again changes nothing.
    @discardableResult
    package func close(_ key: String) async throws -> TopicRecord? {
        guard try await records.topics.find(key) != nil else { return nil }
        let record = try await records.topics.update(key) { known throws(RecordsError) in
            guard var record = known else {
                throw RecordsError(.invalid, "topic: '\(key)' is gone")
            }
            guard record.state == .open else { return record }
            record.state = .closed
            record.revision += 1
            return record
        }
        try publish(record)
        return record
    }

    private func publish(_ record: TopicRecord) throws {
        topics.put(try TopicBook.Entry(record))
        bell.ring()
    }

    /// One that can no longer be read may have planned anything.
    private static func movesPushes(_ known: TopicRecord, to topic: ReminderTopic) -> Bool {
        do { return try TopicFields.topic(known).movesPushes(to: topic) } catch { return true }
    }
}
