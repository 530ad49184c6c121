import BelfryCore
import BelfryRecords
import Hummingbird

/// The people that accounts know: profile, permissions, history.
extension API {
    var people: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/accounts/{account}/people",
                access: .scope(.read),
                operation: Operation(
                    id: "listPeople",
                    summary: "The people of an account by their ids.",
                    tag: "people",
                    query: [.init("prefix", "string", "Of the person's id.")] + Self.paging,
                    answer: "PersonPage"
                )
            ) { call in try await listPeople(call) },
            Route(
                method: .get,
                path: "/v1/accounts/{account}/people/{person}",
                access: .scope(.read),
                operation: Operation(
                    id: "getPerson",
                    summary: "One person, with tags and what may still be sent.",
                    tag: "people",
                    answer: "Person"
                )
            ) { call in
                .json(PersonFields.json(try await person(call), at: server.clock.now()))
            },
            Route(
                method: .get,
                path: "/v1/accounts/{account}/people/{person}/timeline",
                access: .scope(.read),
                operation: Operation(
                    id: "getPersonTimeline",
                    summary: "What was planned for the person and what became of it, with reasons.",
                    tag: "people",
                    query: Self.paging,
                    answer: "PersonTimeline"
                )
            ) { call in try await personTimeline(call) },
            Route(
                method: .get,
                path: "/v1/accounts/{account}/people/{person}/permissions",
                access: .scope(.read),
                operation: Operation(
                    id: "getPersonPermissions",
                    summary: "The permission ledger: what opened it, what is left, until when.",
                    tag: "people",
                    answer: "Permissions"
                )
            ) { call in
                let person = try await person(call)
                return .json(PersonFields.permissions(person.grants, at: server.clock.now()))
            },
        ] + peopleChanges
    }

    private var peopleChanges: [Route] {
        [
            Route(
                method: .put,
                path: "/v1/accounts/{account}/people/{person}/tags",
                access: .scope(.people),
                operation: Operation(
                    id: "setPersonTags",
                    summary: "Replaces the tags, which conditions of flows ask for.",
                    tag: "people",
                    body: .init("Tags"),
                    answer: "Person"
                )
            ) { call in try await setTags(call) },
            Route(
                method: .delete,
                path: "/v1/accounts/{account}/people/{person}",
                access: .scope(.people),
                operation: Operation(
                    id: "erasePerson",
                    summary: "Cancels what is planned and deletes all that names the person.",
                    tag: "people",
                    answer: "Erased"
                )
            ) { call in try await erase(call) },
        ]
    }

    func recipient(_ call: Call) throws(Problem) -> Recipient {
        let account = try call.parameter("account")
        let person = try call.parameter("person")
        guard (1...PushLimits.personBytes).contains(person.utf8.count) else {
            throw .invalid("?person", "must be 1 to \(PushLimits.personBytes) bytes")
        }
        return Recipient(account: account, person: person)
    }

    func person(_ call: Call) async throws -> PersonRecord {
        let recipient = try recipient(call)
        guard let person = try await server.records.people.find(recipient) else {
            throw Problem.notFound("person '\(recipient.person)' of '\(recipient.account)'")
        }
        return person
    }

    private func listPeople(_ call: Call) async throws -> Response {
        let page = try await server.records.people.list(
            account: try await account(call).key,
            prefix: call.query("prefix") ?? "",
            limit: try call.query("limit", in: 1...1000, default: 100),
            cursor: call.query("cursor")
        )
        let now = server.clock.now()
        return .json(DeliveryFields.page(page) { PersonFields.json($0, at: now) })
    }

    private func personTimeline(_ call: Call) async throws -> Response {
        let recipient = try recipient(call)
        let page = try await server.records.deliveries.timeline(
            recipient,
            limit: try call.query("limit", in: 1...1000, default: 100),
            cursor: call.query("cursor")
        )
        let planned = try await planned(for: recipient, page.items.map(\.push))
        guard case .object(var members) = DeliveryFields.page(page, DeliveryFields.json) else {
            return .json(.null)
        }
        members.insert(.init("planned", .array(planned.map { PushFields.json($0) })), at: 0)
        return .json(.object(members))
    }

    /// What the flows and topics of the account still have in store for a person, and what is still pending of the pushes that the history names: held
    /// ones, ones to be retried. Another push that an API caller named is found by its id alone.
    func planned(for recipient: Recipient, _ history: [PushID]) async throws -> [Pending] {
        let ids = Set(
            try await flowPushes(of: recipient) + reminderPushes(of: recipient) + history
        )
        guard !ids.isEmpty else { return [] }
        return try await server.timeline.find(Array(ids)).compactMap { $0 }
            .filter { $0.push.recipient == recipient }
            .sorted { $0.push.due < $1.push.due }
    }

    private func flowPushes(of recipient: Recipient) async throws -> [PushID] {
        let flows = try await server.records.flows.all(account: recipient.account)
        return flows.map {
            PushID("flow/\(recipient.account)/\($0.flow)/\(recipient.person)")
        }.filter { $0.text.utf8.count <= PushLimits.idBytes }
    }

    private func reminderPushes(of recipient: Recipient) async throws -> [PushID] {
        try await server.records.reminders.of(recipient).filter { $0.state == .subscribed }
            .map(\.key.push)
    }

    private func setTags(_ call: Call) async throws -> Response {
        let recipient = try await person(call).recipient
        var fields = try await call.fields()
        let tags = fields.texts("tags", count: 0...100, bytes: 1...TextLimits.name)
        if tags == nil, fields.problems.isEmpty { fields.note("tags", "missing", "is needed") }
        try fields.finish()
        let wanted = Array(Set(tags ?? [])).sorted()
        let after = try await server.records.people.update(recipient) { $0.tags = wanted }
        return .json(PersonFields.json(after, at: server.clock.now()))
    }

    private func erase(_ call: Call) async throws -> Response {
        let recipient = try recipient(call)
        let ids = try await flowPushes(of: recipient) + reminderPushes(of: recipient)
        var cancelled = 0
        var inFlight = 0
        if !ids.isEmpty {
            for outcome in try await server.timeline.cancel(ids) {
                if outcome == .cancelled { cancelled += 1 }
                if outcome.isInFlight { inFlight += 1 }
            }
        }
        let rows = try await server.records.people.erase(recipient)
        // The audit log says that somebody was erased, and must not say who.
        try await audit(call, "person.erase", "account/\(recipient.account)")
        return .json([
            "cancelled": .count(cancelled), "in_flight": .count(inFlight), "rows": .count(rows),
        ])
    }
}
