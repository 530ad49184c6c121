import BelfryActivation
import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// Topics: what people ask to be reminded of.
extension API {
    var topics: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/topics",
                access: .scope(.read),
                operation: Operation(
                    id: "listTopics",
                    summary: "Topics of reminders by their keys.",
                    tag: "reminders",
                    query: [.init("account", "string", "Of this account.")] + Self.paging,
                    answer: "TopicPage"
                )
            ) { call in try await listTopics(call) },
            topicRoute(.get, "getTopic", "A topic, how many stand where, and how far a move is.") {
                call in try await topicAnswer(try await topicRecord(call))
            },
            topicRoute(
                .put,
                "setTopic",
                "Makes a topic, or changes it as a whole; another time moves everybody.",
                body: "TopicContent",
                scope: .flows
            ) { call in try await setTopic(call) },
            topicRoute(
                .patch,
                "changeTopic",
                "Changes the members that are given; another time moves everybody.",
                body: "TopicChanges",
                scope: .flows
            ) { call in try await changeTopic(call) },
            topicRoute(
                .delete,
                "closeTopic",
                "Closes a topic for good: whoever has not been reminded will not be.",
                scope: .flows
            ) { call in try await closeTopic(call) },
        ]
    }

    private func topicRoute(
        _ method: HTTPRequest.Method,
        _ id: String,
        _ summary: String,
        body: String? = nil,
        scope: Scope = .read,
        _ handler: @escaping @Sendable (Call) async throws -> Response
    ) -> Route {
        Route(
            method: method,
            path: "/v1/topics/{topic}",
            access: .scope(scope),
            operation: Operation(
                id: id,
                summary: summary,
                tag: "reminders",
                body: body.map { .init($0) },
                answer: "Topic"
            ),
            handler: handler
        )
    }

    // MARK: Looking

    func topicRecord(_ call: Call) async throws -> TopicRecord {
        let key = try call.parameter("topic")
        guard let record = try await server.records.topics.find(key) else {
            throw Problem.notFound("topic '\(key)'")
        }
        return record
    }

    private func listTopics(_ call: Call) async throws -> Response {
        let page = try await server.records.topics.list(
            account: call.query("account"),
            limit: try call.query("limit", in: 1...1000, default: 100),
            cursor: call.query("cursor")
        )
        let items = try page.items.map {
            TopicFields.json($0, try TopicFields.topic($0))
        }
        return .json(["items": .array(items), "next_cursor": .text(page.next)])
    }

    private func topicAnswer(_ record: TopicRecord, status: HTTPResponse.Status = .ok)
        async throws -> Response
    {
        let counts = try await server.records.reminders.counts(
            topic: record.topic,
            revision: record.revision
        )
        var members = TopicFields.json(record, try TopicFields.topic(record)).members ?? []
        members.append(.init("behind", .count(counts.behind)))
        let states = ReminderRecord.State.allCases.map {
            JSONValue.Member($0.rawValue, .count(counts.states[$0] ?? 0))
        }
        members.append(.init("counts", .object(states)))
        return .json(.object(members), status: status)
    }

    // MARK: Changing

    private func setTopic(_ call: Call) async throws -> Response {
        let key = try call.parameter("topic")
        return try await write(try await call.fields(), key, call)
    }

    private func changeTopic(_ call: Call) async throws -> Response {
        let known = try await topicRecord(call)
        let changes = try JSONValue(parsingBody: try await call.body())
        var members = try TopicFields.document(TopicFields.topic(known)).members ?? []
        for change in changes.members ?? [] {
            members.removeAll { $0.name == change.name }
            members.append(change)
        }
        return try await write(Fields(.object(members)), known.topic, call)
    }

    private func write(_ fields: Fields, _ key: String, _ call: Call) async throws -> Response {
        try await server.catchUp()
        var fields = fields
        let read = TopicFields.read(&fields, key: key) {
            server.accounts[$0]?.planner.account.zone
        }
        let known = try await server.records.topics.find(key)
        let before = try known.map { record throws(Problem) in try TopicFields.topic(record) }
        if let read { check(read, before, &fields) }
        try fields.finish()
        guard let topic = read else { throw Problem(.invalid, "The topic cannot be read.") }
        if known?.state == .closed {
            throw Problem(.conflict, "The topic '\(key)' is closed for good; choose another key.")
        }
        let record = try await server.reminders.set(topic)
        try await audit(
            call,
            known == nil ? "topic.create" : "topic.change",
            "topic/\(key)",
            before: before.map(TopicFields.document),
            after: TopicFields.document(topic)
        )
        return try await topicAnswer(record, status: known == nil ? .created : .ok)
    }

    private func check(_ topic: ReminderTopic, _ before: ReminderTopic?, _ fields: inout Fields) {
        let now = server.clock.now()
        if topic.opening != before?.opening {
            if topic.opening <= now {
                fields.note("opening", "past", "has passed: nobody can be reminded of it")
            } else if topic.opening > now + PushLimits.horizon {
                fields.note("opening", "too_far", API.tooFar)
            }
        }
        if let before, before.account != topic.account {
            fields.note("account", "fixed", "is '\(before.account)' and stays so")
        } else if !server.isAccount(topic.account) {
            fields.note("account", "unknown", "is no account of this server")
        } else if !server.channels.contains(topic.channel) {
            let known = server.channels.sorted().joined(separator: ", ")
            fields.note("channel", "unknown", "is none of \(known)")
        } else if let problem = server.channelProblem(topic.account, topic.channel) {
            fields.note("channel", "account", problem)
        } else {
            checkMessages(topic, &fields)
        }
    }

    /// Judges what one, and what two that go together, would be sent.
    private func checkMessages(_ topic: ReminderTopic, _ fields: inout Fields) {
        let account =
            server.accounts[topic.account]?.planner.account ?? FlowAccount(key: topic.account)
        for (field, topics) in [("message", [topic]), ("merge/message", [topic, topic])] {
            if topics.count > 1, topic.merge?.message == nil { continue }
            let sample = ReminderMessage(
                topics,
                carrier: topic,
                to: String(repeating: "o", count: 28),
                account: account
            )
            if let problem = server.payloadProblem(topic.channel, sample.body) {
                fields.note(field, "payload", problem)
            }
        }
    }

    private func closeTopic(_ call: Call) async throws -> Response {
        let before = try await topicRecord(call)
        guard let record = try await server.reminders.close(before.topic) else {
            throw Problem.notFound("topic '\(before.topic)'")
        }
        if before.state == .open { try await audit(call, "topic.close", "topic/\(before.topic)") }
        return try await topicAnswer(record)
    }
}

extension JSONValue {
    /// The members of a body that has to be a JSON object.
    fileprivate init(parsingBody bytes: [UInt8]) throws(Problem) {
        do { self = try JSONValue(parsing: bytes) } catch {
            throw Problem(
                .malformed,
                "The body is not JSON: \(error.problem) at byte \(error.offset)."
            )
        }
        guard members != nil else {
            throw Problem(.malformed, "A JSON object is expected in the body, not \(kind).")
        }
    }
}
