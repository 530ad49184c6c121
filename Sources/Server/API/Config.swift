import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// The configuration: what was set at the start, to be read, and what is set while running.
extension API {
    var config: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/config",
                access: .scope(.admin),
                operation: Operation(
                    id: "getConfiguration",
                    summary:
                        "Every setting of the start, and what is set while running, with the revision that each node has applied.",
                    tag: "config",
                    answer: "Configuration"
                )
            ) { _ in try await configuration() },
            Route(
                method: .put,
                path: "/v1/config",
                access: .scope(.admin),
                operation: Operation(
                    id: "setConfiguration",
                    summary: "Sets values while running; null clears one. All or none.",
                    tag: "config",
                    body: .init("ConfigurationChange"),
                    answer: "ConfigurationRevision"
                )
            ) { call in try await setConfiguration(call) },
            Route(
                method: .get,
                path: "/v1/config/history",
                access: .scope(.admin),
                operation: Operation(
                    id: "getConfigurationHistory",
                    summary: "What was set while running, by whom, and what changed; newest first.",
                    tag: "config",
                    query: [.init("limit", "integer", "At most so many; 100 unless given.")],
                    answer: "ConfigurationHistory"
                )
            ) { call in try await configurationHistory(call) },
            Route(
                method: .post,
                path: "/v1/config:rollback",
                access: .scope(.admin),
                operation: Operation(
                    id: "rollBackConfiguration",
                    summary: "Sets everything as it was at an earlier revision, as a new one.",
                    tag: "config",
                    body: .init("ConfigurationRollback"),
                    answer: "ConfigurationRevision"
                )
            ) { call in try await rollBack(call) },
        ]
    }

    private func configuration() async throws -> Response {
        let live = server.live
        let nodes = try await live.nodes().map { node -> JSONValue in
            [
                "node": .string(node.node), "revision": .count(node.revision),
                "at": .time(node.applied), "seen": .time(node.seen),
                "alive": .bool(live.isAlive(node)),
                "shards": node.shards.map { .count($0) } ?? .null,
            ]
        }
        let keys = LiveKey.forms.map { form -> JSONValue in
            [
                "key": .string(form.key), "allowed": .string(form.allowed),
                "meaning": .string(form.meaning),
            ]
        }
        return .json([
            "settings": .array(server.settings.map { Self.json($0) }),
            "live": Self.json(live.revision), "nodes": .array(nodes), "keys": .array(keys),
        ])
    }

    private func setConfiguration(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let document = fields.value("values")
        let expected = fields.integer("revision", 0...Int.max)
        try fields.finish()
        guard let members = document?.members, !members.isEmpty else {
            throw Problem.invalid("/values", "must be an object with the keys to set")
        }
        var changes: [String: String?] = [:]
        for member in members { changes.updateValue(try Self.text(member), forKey: member.name) }
        try await server.catchUp()
        try await check(changes)
        return try await change(call, "config.set") { who in
            try await server.live.set(changes, expected: expected, by: who)
        }
    }

    /// Texts and numbers are taken; `null` clears.
    private static func text(_ member: JSONValue.Member) throws(Problem) -> String? {
        switch member.value {
        case .null: return nil
        case .string(let text): return text
        default:
            guard let number = Int(member.value.text) else {
                throw Problem.invalid(
                    "/values/\(member.name)",
                    "must be a text, a whole number or null"
                )
            }
            return String(number)
        }
    }

    /// Whom a key names must be there, unless it is cleared.
    private func check(_ changes: [String: String?]) async throws {
        if let shards = changes[Self.shardsKey] { try await checkShards(shards) }
        for (key, value) in changes where value != nil {
            let name: LiveKey
            do { name = try LiveKey(key) } catch {
                throw Problem.invalid("/values/\(key)", error.text)
            }
            switch name {
            case .batch, .concurrency, .sweep, .overloadDefer, .overloadLagGoal,
                .overloadDeferralMax, .shards:
                continue
            case .accountRate(let account), .accountConcurrency(let account),
                .accountPriority(let account), .accountWeight(let account),
                .accountPaused(let account):
                guard server.isAccount(account) else {
                    throw Problem.invalid("/values/\(key)", "'\(account)' is no account")
                }
            case .flowPaused(let name), .flowPriority(let name):
                guard server.accounts[name.account]?.versions[name.flow] != nil else {
                    throw Problem.invalid(
                        "/values/\(key)",
                        "the account '\(name.account)' has no published flow '\(name.flow)'"
                    )
                }
            case .topicPaused(let topic), .topicPriority(let topic):
                guard let entry = server.reminders.topics[topic], !entry.isClosed else {
                    throw Problem.invalid("/values/\(key)", "there is no open topic '\(topic)'")
                }
            }
        }
    }

    private func rollBack(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let number = fields.integer("to", 0...Int.max)
        let expected = fields.integer("revision", 0...Int.max)
        try fields.finish()
        guard let number else { throw Problem.invalid("/to", "is needed: a revision") }
        let shards = try await shardsRolledBack(to: number)
        return try await change(call, "config.rollback") { who in
            guard
                let revision = try await server.live.rollback(
                    to: number,
                    beside: shards,
                    expected: expected,
                    by: who
                )
            else { throw Problem.notFound("revision \(number)") }
            return revision
        }
    }

    private func change(
        _ call: Call,
        _ action: String,
        _ work: (_ who: String) async throws -> LiveConfiguration.Revision
    ) async throws -> Response {
        let before = server.live.revision
        let revision: LiveConfiguration.Revision
        do { revision = try await work(call.principal.name) } catch let problem as LiveProblem {
            throw Problem.invalid("/values/\(problem.key)", problem.text)
        }
        guard revision.number != before.number else { return .json(Self.json(revision)) }
        try await audit(
            call,
            action,
            "config",
            before: Self.json(before),
            after: Self.json(revision)
        )
        return .json(Self.json(revision))
    }

    private func configurationHistory(_ call: Call) async throws -> Response {
        let limit = try call.query("limit", in: 1...1000, default: 100)
        // One more, so that the oldest that is shown has something to be compared with.
        let found = try await server.live.history(limit: limit + 1)
        let items = found.prefix(limit).enumerated().map { place, revision -> JSONValue in
            let before = place + 1 < found.count ? found[place + 1].values : [:]
            return Self.json(revision, since: before)
        }
        return .json(["items": .array(items)])
    }

    private static func json(_ revision: LiveConfiguration.Revision) -> JSONValue {
        .object([
            .init("revision", .count(revision.number)),
            .init("at", .time(revision.at)),
            .init("who", revision.who.map { .string($0) } ?? .null),
            .init("values", .object(members(revision.values))),
        ])
    }

    private static func members(_ values: [String: String]) -> [JSONValue.Member] {
        values.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }
    }

    /// With what changed: the key, what it was and what it became; null for what was not set.
    private static func json(
        _ revision: LiveConfiguration.Revision,
        since before: [String: String]
    ) -> JSONValue {
        let keys = Set(before.keys).union(revision.values.keys).sorted()
        let changes = keys.filter { before[$0] != revision.values[$0] }.map { key -> JSONValue in
            [
                "key": .string(key),
                "old": before[key].map { .string($0) } ?? .null,
                "new": revision.values[key].map { .string($0) } ?? .null,
            ]
        }
        return [
            "revision": .count(revision.number), "at": .time(revision.at),
            "who": revision.who.map { .string($0) } ?? .null, "changes": .array(changes),
        ]
    }

    private static func json(_ setting: LoadedConfiguration.Value) -> JSONValue {
        [
            "key": .string(setting.key), "value": .string(setting.value),
            "origin": .string(setting.origin), "meaning": .string(setting.meaning),
        ]
    }
}
