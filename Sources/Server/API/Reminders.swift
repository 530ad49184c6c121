import BelfryActivation
import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// Reminders: who is subscribed to which topic.
extension API {
    var reminders: [Route] {
        [
            reminderRoute(
                .put,
                "subscribe",
                "Reminds a person of a topic; the last word wins, and once is enough.",
                "ReminderResult",
                scope: .push
            ) { call in try await take(.subscribe, call) },
            reminderRoute(
                .delete,
                "cancelReminder",
                "Takes a subscription back; in_flight means that it may still be sent.",
                "ReminderResult",
                scope: .push
            ) { call in try await take(.cancel, call) },
            reminderRoute(
                .get,
                "getReminder",
                "Where a person stands with a topic.",
                "Reminder"
            ) { call in try await getReminder(call) },
            Route(
                method: .get,
                path: "/v1/reminders",
                access: .scope(.read),
                operation: Operation(
                    id: "listReminders",
                    summary: "The people of a topic, or the topics of a person.",
                    tag: "reminders",
                    query: [
                        .init("topic", "string", "Of this topic, by person."),
                        .init(
                            "state",
                            "string",
                            "subscribed, cancelled, sent or ended; with topic."
                        ),
                        .init("account", "string", "Of this account; with to."),
                        .init("to", "string", "Of this person, the last due first."),
                    ] + Self.paging,
                    answer: "ReminderPage"
                )
            ) { call in try await listReminders(call) },
            Route(
                method: .post,
                path: "/v1/reminders:bulk",
                access: .scope(.push),
                operation: Operation(
                    id: "takeReminders",
                    summary:
                        "Subscribes and cancels, one JSON object a line; one result a line, in order.",
                    tag: "reminders",
                    body: .init("ReminderWish", type: "application/x-ndjson"),
                    answer: "ReminderResult",
                    answerType: "application/x-ndjson"
                )
            ) { call in try await BulkReminders.respond(to: call) },
        ]
    }

    private func reminderRoute(
        _ method: HTTPRequest.Method,
        _ id: String,
        _ summary: String,
        _ answer: String,
        scope: Scope = .read,
        _ handler: @escaping @Sendable (Call) async throws -> Response
    ) -> Route {
        Route(
            method: method,
            path: "/v1/reminders/{topic}/{person}",
            access: .scope(scope),
            operation: Operation(id: id, summary: summary, tag: "reminders", answer: answer),
            handler: handler
        )
    }

    private func reminderKey(_ call: Call) throws(Problem) -> ReminderKey {
        let person = try call.parameter("person")
        if let problem = ReminderKey.problem(person: person) { throw .invalid("?person", problem) }
        return ReminderKey(topic: try call.parameter("topic"), person: person)
    }

    private func take(_ act: ReminderWish.Act, _ call: Call) async throws -> Response {
        let key = try reminderKey(call)
        let wish = ReminderWish(act, key)
        let answer = try await server.reminders.take([wish], by: call.principal.name)[0]
        if answer == .unknownTopic { throw Problem.notFound("topic '\(key.topic)'") }
        let due = server.reminders.topics[key.topic]?.topic.due
        return .json([
            "topic": .string(key.topic), "to": .string(key.person),
            "status": .string(answer.rawValue), "due": .time(due),
        ])
    }

    private func getReminder(_ call: Call) async throws -> Response {
        let key = try reminderKey(call)
        guard let reminder = try await server.records.reminders.find([key])[key] else {
            throw Problem.notFound("subscription of '\(key.person)' to '\(key.topic)'")
        }
        return .json(ReminderFields.json(reminder))
    }

    private func listReminders(_ call: Call) async throws -> Response {
        if let topic = call.query("topic") {
            let page = try await server.records.reminders.list(
                topic: topic,
                state: try reminderState(call),
                limit: try call.query("limit", in: 1...1000, default: 100),
                cursor: call.query("cursor")
            )
            return .json(DeliveryFields.page(page, ReminderFields.json))
        }
        guard let account = call.query("account"), let person = call.query("to") else {
            throw Problem.invalid("?topic", "is needed, or account and to")
        }
        let reminders = try await server.records.reminders.of(
            Recipient(account: account, person: person)
        )
        return .json([
            "items": .array(reminders.map(ReminderFields.json)), "next_cursor": .null,
        ])
    }

    private func reminderState(_ call: Call) throws(Problem) -> ReminderRecord.State? {
        guard let word = call.query("state") else { return nil }
        if let state = ReminderRecord.State(rawValue: word) { return state }
        let words = ReminderRecord.State.allCases.map(\.rawValue).joined(separator: ", ")
        throw .invalid("?state", "must be one of \(words)")
    }
}

extension ReminderKey {
    /// What is wrong with a person's id; `nil` where nothing is.
    static func problem(person: String) -> String? {
        guard (1...PushLimits.personBytes).contains(person.utf8.count) else {
            return "must be 1 to \(PushLimits.personBytes) bytes"
        }
        return person.utf8.contains(0) ? "must not contain U+0000" : nil
    }
}
