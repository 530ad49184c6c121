import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// Pushes that were given up: look, retry with a dry run first, discard.
extension API {
    var deadLetters: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/dead-letters",
                access: .scope(.read),
                operation: Operation(
                    id: "listDeadLetters",
                    summary: "Dead letters, newest first.",
                    tag: "dead letters",
                    query: [
                        .init("account", "string", "Of this account."),
                        .init("code", "string", "Of this cause."),
                        .init("state", "string", "open (unless given), retried or discarded."),
                    ] + Self.paging,
                    answer: "DeadLetterPage"
                )
            ) { call in try await listDeadLetters(call) },
            Route(
                method: .get,
                path: "/v1/dead-letters:groups",
                access: .scope(.read),
                operation: Operation(
                    id: "groupDeadLetters",
                    summary: "The open dead letters by cause, with remedies.",
                    tag: "dead letters",
                    query: [.init("account", "string", "Of this account.")],
                    answer: "DeadLetterGroups"
                )
            ) { call in try await groupDeadLetters(call) },
            Route(
                method: .get,
                path: "/v1/dead-letters/{id}",
                access: .scope(.read),
                operation: Operation(
                    id: "getDeadLetter",
                    summary: "One dead letter with its push.",
                    tag: "dead letters",
                    answer: "DeadLetter"
                )
            ) { call in try await getDeadLetter(call) },
            Route(
                method: .post,
                path: "/v1/dead-letters:retry",
                access: .scope(.deadLetters),
                operation: Operation(
                    id: "retryDeadLetters",
                    summary:
                        "Schedules dead letters again; expired ones are left, a dry run only counts.",
                    tag: "dead letters",
                    body: .init("DeadLetterSelection"),
                    answer: "DeadLetterResult"
                )
            ) { call in try await retryDeadLetters(call) },
            Route(
                method: .post,
                path: "/v1/dead-letters:discard",
                access: .scope(.deadLetters),
                operation: Operation(
                    id: "discardDeadLetters",
                    summary: "Gives dead letters up for good; a dry run only counts.",
                    tag: "dead letters",
                    body: .init("DeadLetterSelection"),
                    answer: "DiscardResult"
                )
            ) { call in try await discardDeadLetters(call) },
        ]
    }

    private static func json(_ letter: DeadLetterRecord) -> JSONValue {
        [
            "id": .string(String(letter.id)),
            "push": PushFields.json(letter.push),
            "sequence": .string(String(letter.sequence)),
            "attempts": .count(letter.attempts),
            "at": .time(letter.at),
            "reason": DeliveryFields.cause(letter.cause),
            "state": .string(letter.state.rawValue),
            "ended": .time(letter.ended),
        ]
    }

    private func listDeadLetters(_ call: Call) async throws -> Response {
        let word = call.query("state") ?? DeadLetterRecord.State.open.rawValue
        guard let state = DeadLetterRecord.State(rawValue: word) else {
            throw Problem.invalid("?state", "must be one of open, retried, discarded")
        }
        let page = try await server.records.deadLetters.list(
            account: call.query("account"),
            code: call.query("code"),
            state: state,
            limit: try call.query("limit", in: 1...1000, default: 100),
            cursor: call.query("cursor")
        )
        return .json(DeliveryFields.page(page, Self.json))
    }

    private func getDeadLetter(_ call: Call) async throws -> Response {
        let text = try call.parameter("id")
        // An id that is no number is nobody's.
        let found = try await server.records.deadLetters.find(Int64(text) ?? 0)
        guard let found else { throw Problem.notFound("dead letter '\(text)'") }
        return .json(Self.json(found))
    }

    private func groupDeadLetters(_ call: Call) async throws -> Response {
        let groups = try await server.records.deadLetters.groups(account: call.query("account"))
        let list = groups.map { group -> JSONValue in
            [
                "code": .string(group.code), "count": .count(group.count),
                "oldest": .time(group.oldest), "newest": .time(group.newest),
                "reason": DeliveryFields.cause(group.cause),
            ]
        }
        return .json(["groups": .array(list)])
    }

    // MARK: Retry and discard

    private struct Selection {
        var letters: [DeadLetterRecord]
        /// There are more that match than one call handles.
        var more: Bool
        var isDryRun: Bool
    }

    /// The open dead letters that a body names: by their ids, or all of an account and a cause.
    private func selection(_ call: Call) async throws -> Selection {
        var fields = try await call.fields()
        let ids = fields.texts("ids", count: 1...1000, bytes: 1...20)
        let account = fields.optionalText("account", 0...PushLimits.accountBytes)
        let code = fields.optionalText("code", 1...TextLimits.name)
        let limit = fields.integer("limit", 1...1000) ?? 1000
        let isDryRun = fields.flag("dry_run") ?? false
        if ids != nil, account != nil || code != nil {
            fields.note("ids", "ambiguous", "give either ids, or account and code")
        }
        if ids == nil, account == nil, code == nil, fields.problems.isEmpty {
            fields.note("ids", "missing", "is needed, or account or code: never all by accident")
        }
        let numbers = (ids ?? []).enumerated().compactMap { index, text -> Int64? in
            if let number = Int64(text) { return number }
            fields.note("ids/\(index)", "value", "is no id of a dead letter")
            return nil
        }
        try fields.finish()
        guard ids != nil else {
            let page = try await server.records.deadLetters.list(
                account: account,
                code: code,
                limit: limit
            )
            return Selection(letters: page.items, more: page.next != nil, isDryRun: isDryRun)
        }
        var letters: [DeadLetterRecord] = []
        for id in Set(numbers).sorted() {
            guard let letter = try await server.records.deadLetters.find(id) else { continue }
            if letter.state == .open { letters.append(letter) }
        }
        return Selection(letters: letters, more: false, isDryRun: isDryRun)
    }

    private func retryDeadLetters(_ call: Call) async throws -> Response {
        let selection = try await selection(call)
        let now = server.clock.now()
        let alive = selection.letters.filter { $0.push.expires.map { now < $0 } ?? true }
        var retried = 0
        if !selection.isDryRun, !alive.isEmpty {
            retried = try await retry(alive, now)
            try await audit(
                call,
                "dead-letter.retry",
                "dead-letters",
                after: ["retried": .count(retried)]
            )
        }
        return .json([
            "dry_run": .bool(selection.isDryRun),
            "matched": .count(selection.letters.count),
            "retried": .count(selection.isDryRun ? alive.count : retried),
            "expired": .count(selection.letters.count - alive.count),
            "failed": .count(selection.isDryRun ? 0 : alive.count - retried),
            "more": .bool(selection.more),
        ])
    }

    /// Marks first, so that of two people who press the same button one gets each letter; opens again what could not be scheduled.
    private func retry(_ letters: [DeadLetterRecord], _ now: Timestamp) async throws -> Int {
        let marked = Set(try await server.records.deadLetters.mark(letters.map(\.id), .retried))
        let mine = letters.filter { marked.contains($0.id) }
        let pushes = mine.map { letter in
            var push = letter.push
            push.due = max(push.due, now)
            return push
        }
        do {
            let outcomes = try await server.timeline.schedule(pushes)
            await server.recordMerged(zip(pushes, outcomes).filter { $0.1 == .merged }.map(\.0))
            server.recordReplaced(zip(pushes, outcomes).filter(\.1.hasReplaced).map(\.0))
            let refused = zip(mine, outcomes).filter { $0.1 == .refusedTooFar }.map { $0.0.id }
            if !refused.isEmpty { try await server.records.deadLetters.reopen(refused) }
            return mine.count - refused.count
        } catch {
            try await server.records.deadLetters.reopen(mine.map(\.id))
            throw error
        }
    }

    private func discardDeadLetters(_ call: Call) async throws -> Response {
        let selection = try await selection(call)
        var count = selection.letters.count
        if !selection.isDryRun, count > 0 {
            count = try await server.records.deadLetters.mark(
                selection.letters.map(\.id),
                .discarded
            ).count
            try await audit(
                call,
                "dead-letter.discard",
                "dead-letters",
                after: ["discarded": .count(count)]
            )
        }
        return .json(["dry_run": .bool(selection.isDryRun), "discarded": .count(count)])
    }
}
