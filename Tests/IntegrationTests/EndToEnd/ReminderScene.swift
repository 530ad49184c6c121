import BelfryActivation
import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import BelfryTestSupport
import Foundation

/// One message as the log channel wrote it down.
struct LoggedReminder: Sendable, Hashable {
    var person: String
    /// When it was written, in milliseconds.
    var at: Int64
    /// What it tells of: the newest one's topic last.
    var topics: [String]
}

extension World {
    /// Ten o'clock of the scene: an hour after its beginning.
    var ten: Timestamp { ManualClock().now() + .hours(1) }

    /// What the log channel has received, in order.
    func logged() throws -> [LoggedReminder] {
        let file = "\(path)/log-channel.ndjson"
        guard FileManager.default.fileExists(atPath: file) else { return [] }
        var text = try String(contentsOfFile: file, encoding: .utf8)[...]
        // The last line may still be being written.
        while let last = text.last, last != "\n" { text.removeLast() }
        return try text.split(separator: "\n").map {
            let line = try JSONValue(parsing: Array($0.utf8))
            let bodies = (line["collected"]?.array ?? []) + [line["body"] ?? .null]
            return LoggedReminder(
                person: line["person"]?.string ?? "",
                at: line["at"]?.integer ?? 0,
                topics: bodies.compactMap { $0["topic"]?.string }
            )
        }
    }

    func topic(
        _ key: String,
        opening: Timestamp,
        merge: ReminderMerge? = nil,
        channel: String = "log",
        expiresAfter: Duration? = .hours(1)
    ) -> ReminderTopic {
        ReminderTopic(
            key: key,
            account: World.account,
            opening: opening,
            channel: channel,
            merge: merge,
            expiresAfter: expiresAfter
        )
    }

    /// Does the same for everybody, in batches as a bulk request has them.
    @discardableResult
    func take(
        _ act: ReminderWish.Act,
        _ people: some Sequence<String>,
        of topic: String,
        _ node: BelfryNode
    ) async throws -> [String: ReminderAnswer] {
        var answers: [String: ReminderAnswer] = [:]
        var rest = Array(people)[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(ReminderDesk.batch))
            rest = rest.dropFirst(part.count)
            let wishes = part.map { ReminderWish(act, ReminderKey(topic: topic, person: $0)) }
            let given = try await node.reminders.take(wishes, by: "test", isTold: false)
            for (person, answer) in zip(part, given) { answers[person] = answer }
        }
        return answers
    }

    /// Waits until everybody has followed a topic to its newest time.
    ///
    /// - Parameter passing: lets so much time pass between two looks: the mover waits for what is on its way.
    func moved(_ topic: String, _ node: BelfryNode, passing: Duration = .zero) async throws {
        try await eventually("everybody has followed \(topic)") {
            guard let record = try await node.records.topics.find(topic) else { return false }
            if record.moved == record.revision { return true }
            clock.pass(to: clock.now() + passing)
            return false
        }
    }
}
