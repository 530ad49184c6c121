import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird
import Logging

/// Pushes: schedule one or many, find, cancel.
extension API {
    static let tooFar =
        "is more than 20 years ahead; times are RFC 3339 or milliseconds, not seconds, since 1970"

    var pushes: [Route] {
        [
            Route(
                method: .post,
                path: "/v1/pushes",
                access: .scope(.push),
                operation: Operation(
                    id: "schedulePush",
                    summary: "Schedules one push; a known id is replaced.",
                    tag: "pushes",
                    body: .init("Push"),
                    answer: "PushResult",
                    status: 202,
                    isIdempotent: true
                )
            ) { call in try await schedulePush(call) },
            Route(
                method: .post,
                path: "/v1/pushes:bulk",
                access: .scope(.push),
                operation: Operation(
                    id: "schedulePushes",
                    summary:
                        "Schedules pushes, one JSON object a line; one result a line, in order.",
                    tag: "pushes",
                    body: .init("Push", type: "application/x-ndjson"),
                    answer: "PushResult",
                    answerType: "application/x-ndjson"
                )
            ) { call in try await BulkPushes.respond(to: call, instruments) },
            Route(
                method: .post,
                path: "/v1/pushes:cancel",
                access: .scope(.push),
                operation: Operation(
                    id: "cancelPushes",
                    summary: "Cancels pushes by id; one result for each, and counts.",
                    tag: "pushes",
                    body: .init("PushIDs"),
                    answer: "CancelResults"
                )
            ) { call in try await cancelPushes(call) },
            Route(
                method: .get,
                path: "/v1/pushes/{id}",
                access: .scope(.read),
                operation: Operation(
                    id: "getPush",
                    summary: "A pending push: when it is due, and whether a worker holds it.",
                    tag: "pushes",
                    answer: "PendingPush"
                )
            ) { call in try await findPush(call) },
            Route(
                method: .delete,
                path: "/v1/pushes/{id}",
                access: .scope(.push),
                operation: Operation(
                    id: "cancelPush",
                    summary: "Cancels a push; in_flight means that it may still be sent.",
                    tag: "pushes",
                    answer: "CancelResult"
                )
            ) { call in try await cancelPush(call) },
        ]
    }

    private func schedulePush(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let push = PushFields.read(&fields, now: server.clock.now())
        if let push {
            if !server.isAccount(push.recipient.account) { try await server.catchUp() }
            check(push, &fields)
        }
        try fields.finish()
        guard let push else { throw Problem(.invalid, "The push cannot be read.") }
        let outcome = try await server.timeline.schedule([push])[0]
        guard outcome != .refusedTooFar else { throw Problem.invalid("/due", API.tooFar) }
        if outcome == .merged { await server.recordMerged([push]) }
        server.recordScheduled(push, outcome)
        instruments.pushes(accepted: 1, refused: 0)
        return .json(
            [
                "id": .string(push.id.text), "status": .string(outcome.name),
                "due": .time(push.due),
            ],
            status: .accepted
        )
    }

    private func check(_ push: Push, _ fields: inout Fields) {
        if !server.channels.contains(push.channel) {
            let known = server.channels.sorted().joined(separator: ", ")
            fields.note("channel", "unknown", "is none of \(known)")
        } else if let problem = server.payloadProblem(push.channel, push.payload) {
            fields.note("payload", "payload", problem)
        }
        if !server.isAccount(push.recipient.account) {
            let isEmpty = push.recipient.account.isEmpty
            fields.note(
                "account",
                isEmpty ? "missing" : "unknown",
                isEmpty ? "is needed" : "is no account of this server"
            )
        } else if let problem = server.channelProblem(push.recipient.account, push.channel) {
            fields.note("channel", "account", problem)
        }
    }

    private func pushID(_ call: Call) throws(Problem) -> PushID {
        let text = try call.parameter("id")
        guard (1...PushLimits.idBytes).contains(text.utf8.count) else {
            throw .invalid("?id", "must be 1 to \(PushLimits.idBytes) bytes")
        }
        return PushID(text)
    }

    private func findPush(_ call: Call) async throws -> Response {
        let id = try pushID(call)
        guard let pending = try await server.timeline.find([id])[0] else {
            throw Problem.notFound("pending push '\(id.text)'; its history is under /v1/deliveries")
        }
        let now = server.clock.now()
        let hold = await lastHold(of: pending)
        return .json(PushFields.json(pending, server.overload(), heldBy: hold, now: now))
    }

    /// What put off a push that waits for a later time than was asked for; `nil` where nothing did, or the history does not tell it yet.
    private func lastHold(of pending: Pending) async -> DeliveryRecord? {
        guard pending.state == .scheduled, pending.attempt > 0 || pending.push.due > pending.asked
        else { return nil }
        do {
            return try await server.records.deliveries.lastHold(
                of: PushVersion(push: pending.push.id, sequence: pending.sequence),
                since: pending.asked
            )
        } catch {
            // What the timeline knows is told without the records, too.
            server.logger.error("a hold cannot be looked up", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func cancelPush(_ call: Call) async throws -> Response {
        let id = try pushID(call)
        let outcome = try await server.cancel([id], by: call.principal.name)[0]
        return .json(["id": .string(id.text), "status": .string(outcome.name)])
    }

    private func cancelPushes(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let ids = fields.texts("ids", count: 1...10_000, bytes: 1...PushLimits.idBytes)
        try fields.finish()
        guard let ids else { throw Problem.invalid("/ids", "is needed") }
        let outcomes = try await server.cancel(
            ids.map { PushID($0) },
            by: call.principal.name
        )
        let results = zip(ids, outcomes).map { id, outcome -> JSONValue in
            ["id": .string(id), "status": .string(outcome.name)]
        }
        func count(_ wanted: CancelOutcome) -> JSONValue {
            .count(outcomes.count { $0.name == wanted.name })
        }
        return .json([
            "cancelled": count(.cancelled), "in_flight": count(.inFlight), "gone": count(.gone),
            "results": .array(results),
        ])
    }
}
