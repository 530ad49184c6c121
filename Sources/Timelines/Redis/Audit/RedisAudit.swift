package import BelfryCore
package import BelfryRedisClient

/// What is wrong with a server's settings, for somebody who trusts it with pushes.
package struct RedisFinding: Sendable, Hashable, CustomStringConvertible {
    package enum Weight: String, Sendable, Hashable {
        /// Pushes that were accepted would be lost in normal operation: the timeline does not open.
        case refused
        /// Pushes can be lost, or memory is wasted; somebody may have reasons.
        case warning
    }

    package var weight: Weight
    /// The setting: `maxmemory-policy`, `appendonly`.
    package var setting: String
    /// What is wrong, what it can do, and what to set instead.
    package var problem: String

    package var description: String { "\(setting): \(problem)" }
}

/// What one server says about itself.
struct ServerFacts: Sendable {
    var node: String
    var version: [Int] = []
    var policy: String?
    var appendOnly: String?
    var sync: String?
    var replicas = 0
    var replicasToWrite: Int?
    var listValue: Int?
    var listEntries: Int?
    /// Whether `CONFIG GET` may be called: hosted servers often forbid it.
    var tellsSettings = true
}

extension ServerFacts {
    /// The judgement, the gravest first.
    var findings: [RedisFinding] {
        (keeping + replication + memory).sorted { $0.weight == .refused && $1.weight != .refused }
    }

    private func finding(_ weight: RedisFinding.Weight, _ setting: String, _ problem: String)
        -> RedisFinding
    {
        RedisFinding(weight: weight, setting: setting, problem: "\(problem) (\(node))")
    }

    /// What a single server can lose.
    private var keeping: [RedisFinding] {
        var found: [RedisFinding] = []
        if !version.isEmpty, version.lexicographicallyPrecedes([6, 2]) {
            let text = version.map { String($0) }.joined(separator: ".")
            found.append(finding(.refused, "version", "is \(text); 6.2 or newer is needed"))
        }
        guard tellsSettings else {
            return found + [
                finding(
                    .warning,
                    "config",
                    "the server does not tell its settings: see to it that maxmemory-policy is noeviction and "
                        + "an append-only file is kept"
                )
            ]
        }
        if let policy, policy != "noeviction" {
            found.append(
                finding(
                    .refused,
                    "maxmemory-policy",
                    "is \(policy): when memory runs out pushes would vanish; set it to noeviction"
                )
            )
        }
        if appendOnly == "no" {
            found.append(
                finding(
                    .warning,
                    "appendonly",
                    "is no: a restart loses every push since the last snapshot; set it to yes"
                )
            )
        } else if sync == "no" {
            found.append(
                finding(
                    .warning,
                    "appendfsync",
                    "is no: a power cut loses what the system has not written, usually half a minute; set it to everysec or always"
                )
            )
        }
        return found
    }

    private var replication: [RedisFinding] {
        guard replicas > 0, replicasToWrite == 0 else { return [] }
        return [
            finding(
                .warning,
                "min-replicas-to-write",
                "is 0: a primary that has lost its replicas goes on accepting pushes, which a fail-over loses; set it to 1"
            )
        ]
    }

    /// Records are kept in small lists, which a server does only below these sizes.
    private var memory: [RedisFinding] {
        var found: [RedisFinding] = []
        if let listValue, listValue < 512 {
            found.append(
                finding(
                    .warning,
                    "hash-max-listpack-value",
                    "is \(listValue): records above that take about 100 bytes more each; set it to 1024"
                )
            )
        }
        if let listEntries, listEntries < 128 {
            found.append(
                finding(
                    .warning,
                    "hash-max-listpack-entries",
                    "is \(listEntries): every push takes about 80 bytes more; set it to 128 or more"
                )
            )
        }
        return found
    }
}

extension RedisTimeline {
    /// Looks at the settings of servers without using them.
    ///
    /// - Returns: what is wrong, the gravest first.
    /// - Throws: ``TimelineError`` with `io` where a server cannot be asked, `invalid` where the address is wrong.
    package static func audit(of address: RedisAddress) async throws(TimelineError)
        -> [RedisFinding]
    {
        let servers = RedisServers(address, RedisPatience(), seed: 0)
        let result: Result<[RedisFinding], TimelineError>
        do throws(RedisFailure) {
            try await servers.learn()
            try await servers.needPrimary()
            result = .success(try await findings(on: servers))
        } catch {
            result = .failure(error.opening(address))
        }
        await servers.close()
        return try result.get()
    }

    private static func findings(on servers: RedisServers) async throws(RedisFailure)
        -> [RedisFinding]
    {
        var findings: [RedisFinding] = []
        for node in await servers.all() { findings += try await node.facts().findings }
        return findings.filter { $0.weight == .refused } + findings.filter { $0.weight == .warning }
    }

    /// Refuses servers that would lose pushes in normal operation.
    ///
    /// - Returns: what is merely worth a warning.
    /// - Throws: ``TimelineError`` with `invalid`, which says what to set.
    package func audited() async throws(TimelineError) -> [RedisFinding] {
        let findings: [RedisFinding]
        do throws(RedisFailure) { findings = try await Self.findings(on: servers) } catch {
            throw error.timelineError
        }
        let refused = findings.filter { $0.weight == .refused }
        guard refused.isEmpty else {
            let text = refused.map(\.description).joined(separator: "; ")
            throw TimelineError(.invalid, "this Redis must not keep pushes: \(text)")
        }
        return findings
    }
}

extension RedisNode {
    /// Asks for what ``ServerFacts`` judges.
    func facts() async throws(RedisFailure) -> ServerFacts {
        let replies = try await ask([
            RedisCommand("INFO", "server"), RedisCommand("INFO", "replication"),
            RedisCommand("CONFIG", "GET", "*"),
        ])
        let server = try replies[0].get().lines
        let replication = try replies[1].get().lines
        var facts = ServerFacts(node: "\(address.host):\(address.port)")
        facts.version = (server["redis_version"] ?? "").split(separator: ".").compactMap { Int($0) }
        facts.replicas = replication["connected_slaves"].flatMap { Int($0) } ?? 0
        guard case .array(let words) = replies[2], !words.isEmpty else {
            facts.tellsSettings = false
            return facts
        }
        var settings: [String: String] = [:]
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            if let name = words[index].string { settings[name] = words[index + 1].string }
        }
        facts.policy = settings["maxmemory-policy"]
        facts.appendOnly = settings["appendonly"]
        facts.sync = settings["appendfsync"]
        facts.replicasToWrite = settings["min-replicas-to-write"].flatMap { Int($0) }
        // Named after another encoding before version 7.
        facts.listValue = Self.number(settings, "hash-max-listpack-value", "hash-max-ziplist-value")
        facts.listEntries = Self.number(
            settings,
            "hash-max-listpack-entries",
            "hash-max-ziplist-entries"
        )
        return facts
    }

    private static func number(_ settings: [String: String], _ names: String...) -> Int? {
        names.lazy.compactMap { settings[$0].flatMap { Int($0) } }.first
    }
}
