import BelfryCore
import NIOCore
import NIOPosix

/// The servers of those who use scripts: one, the one that sentinels name, or the primaries of a Redis Cluster, each with one connection.
///
/// A call goes to the server that has its slot. What a server did not do (the slot has moved, the script is not loaded, the data set is being read)
/// is asked again, with pauses; what it may have done is not. A call that is not patient is asked again once.
///
/// While a slot is on its way to another server its shards stand still: a script changes many keys, of which some would be here and some there. The
/// key that a call names exists nowhere, so that the server which gives the slot away answers `ASK` to every call before it does anything; the call
/// waits until the move is over.
package actor RedisServers {
    private let first: RedisAddress
    private let patience: RedisPatience
    private let group: any EventLoopGroup
    private var random: SplitMix64
    private var nodes: [String: RedisNode] = [:]
    /// The node of each slot; empty: one server has all of them.
    private var slots: [String] = []
    /// That one server, where sentinels have told which it is.
    private var primary: String?
    private var isClosed = false

    package init(_ address: RedisAddress, _ patience: RedisPatience, seed: UInt64) {
        first = address
        self.patience = patience
        group = MultiThreadedEventLoopGroup.singleton
        random = SplitMix64(seed: seed)
    }

    /// Learns whether this is a cluster, and who has which slot.
    package func learn() async throws(RedisFailure) {
        if let name = first.primaryName { return try await learnPrimary(name) }
        var problem = RedisFailure(.notConnected, "no server of the cluster can be reached")
        for name in candidates where !isClosed {
            do throws(RedisFailure) {
                return try await learn(from: node(name))
            } catch {
                problem = error
            }
        }
        throw problem
    }

    /// Asks one sentinel after the other for the primary, and that one whether it is.
    private func learnPrimary(_ name: String) async throws(RedisFailure) {
        var problem = RedisFailure(.notConnected, "no sentinel can be reached")
        for sentinel in first.sentinels where !isClosed {
            do throws(RedisFailure) {
                let asked = RedisCommand("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
                let words = try await node(sentinel).ask([asked])[0].get().elements
                guard let words, words.count == 2, let host = words[0].string,
                    let port = words[1].number
                else { throw RedisFailure(.notConnected, "\(sentinel) knows no \(name)") }
                let found = node("\(host):\(port)")
                guard try await found.standing().isPrimary else {
                    throw RedisFailure(.readOnly, "\(host):\(port) is no primary yet")
                }
                primary = "\(host):\(port)"
                return
            } catch {
                problem = error
            }
        }
        throw problem
    }

    /// Whether another server may have what one does not serve any more.
    private var hasOthers: Bool { !slots.isEmpty || first.primaryName != nil }

    private func learn(from node: RedisNode) async throws(RedisFailure) {
        let reply = try await node.ask(waits: !hasOthers) { _ in
            [RedisCommand("CLUSTER", "SLOTS")]
        }[0]
        if case .error(let failure) = reply {
            // What a server says that is none of a cluster.
            guard failure.message.contains("cluster support disabled") else { throw failure }
            slots = []
            return
        }
        var map = [String](repeating: "", count: HashSlot.count)
        for range in reply.elements ?? [] {
            guard let parts = range.elements, parts.count > 2, let from = parts[0].number,
                let to = parts[1].number, let primary = parts[2].elements, primary.count > 1,
                let host = primary[0].string, let port = primary[1].number,
                0 <= from, from <= to, to < map.count
            else { throw RedisFailure(.garbled, "CLUSTER SLOTS cannot be understood") }
            let name = "\(host.isEmpty ? first.host : host):\(port)"
            for slot in from...to { map[slot] = name }
        }
        slots = map
    }

    /// Every server that has slots.
    package func all() -> [RedisNode] {
        slots.isEmpty ? [node(main)] : Set(slots).filter { !$0.isEmpty }.map { node($0) }
    }

    /// The server of each key, as far as is known.
    package func homes(of keys: [String]) -> [String] { keys.map { home(of: $0) } }

    /// Whether the slots of a cluster are spread over servers.
    package var isCluster: Bool { !slots.isEmpty }

    /// What the timeline was opened with.
    package nonisolated var address: RedisAddress { first }

    /// - Throws: ``RedisFailure`` with `unfit` where the one server that was named is a replica. Who is the primary of a cluster, or behind sentinels, is found out.
    package func needPrimary() async throws(RedisFailure) {
        guard !hasOthers else { return }
        let standing = try await node(main).standing()
        guard !standing.isPrimary else { return }
        let primary = standing.primary.map { ", of \($0)" } ?? ""
        throw RedisFailure(
            .unfit,
            "\(first) is a replica\(primary), which takes no pushes: name the primary, or the sentinels that know it (redis+sentinel://host:port,host:port/name)"
        )
    }

    /// Whether this is a cluster, or a server that has a replica or is known to sentinels.
    package func areReplicated() async throws(RedisFailure) -> Bool {
        if hasOthers { return true }
        for node in all() where try await !node.standing().replicas.isEmpty { return true }
        return false
    }

    /// - Throws: ``RedisFailure`` with `unfit` where a server cannot say when something is on disks, or keeps no file of what it does.
    package func needConfirmationOnDisk() async throws(RedisFailure) {
        for node in all() {
            let known = try await node.ask([RedisCommand("COMMAND", "INFO", "WAITAOF")])[0].get()
            guard known.elements?.first?.elements != nil else {
                throw RedisFailure(
                    .unfit,
                    "timeline.confirm: disk needs WAITAOF, which Redis has from 7.2 on; \(node.address) has not. Choose memory"
                )
            }
            // What is on disk already is told at once.
            let reply = try await node.ask([RedisCommand("WAITAOF", "1", "0", "1")])[0]
            guard case .error(let failure) = reply, failure.message.contains("appendonly") else {
                continue
            }
            throw RedisFailure(
                .unfit,
                "timeline.confirm: disk needs an append-only file (appendonly yes); \(node.address) writes none"
            )
        }
    }

    /// A connection of its own that listens.
    ///
    /// - Parameter node: to whom; `nil`: to any server, as channels are known to all of a cluster.
    package func listen(
        to node: RedisNode?,
        _ published: @escaping @Sendable (RedisReply) -> Void
    ) async throws(RedisFailure) -> RedisConnection {
        guard !isClosed else { throw RedisFailure(.closed, "the timeline is closed") }
        var problem = RedisFailure(.notConnected, "no server can be reached")
        for address in node.map({ [$0.address] }) ?? candidates.map({ self.node($0).address }) {
            do throws(RedisFailure) {
                return try await RedisConnection.open(
                    address,
                    patience,
                    on: group,
                    published: published
                )
            } catch {
                problem = error
            }
        }
        throw problem
    }

    package func close() async {
        isClosed = true
        for node in nodes.values { await node.close() }
    }

    // MARK: Asking

    /// Calls scripts, those of one server in one pipeline.
    ///
    /// - Returns: one reply for each call, in order; what failed is among them as an error.
    package func ask(_ calls: [ScriptCall]) async -> [RedisReply] {
        var replies = [RedisReply](repeating: .none, count: calls.count)
        var open = calls.indices.map { Attempt(call: $0) }
        for round in 0..<14 where !open.isEmpty {
            if round > 1 { open.removeAll { $0.waits && !calls[$0.call].isPatient } }
            if open.isEmpty { break }
            if round > 0, open.contains(where: \.waits) { await pause(round) }
            if open.contains(where: \.needsMap) {
                // What is still unknown then is told by the call itself.
                do throws(RedisFailure) { try await learn() } catch {}
            }
            open = await tryOnce(open, of: calls, &replies)
        }
        return replies
    }

    /// A call that is still to be made, and what the last try taught.
    private struct Attempt: Sendable {
        var call: Int
        var node: String?
        var waits = false
        var needsMap = false
        var needsScript = false
    }

    private func tryOnce(
        _ open: [Attempt],
        of calls: [ScriptCall],
        _ replies: inout [RedisReply]
    ) async -> [Attempt] {
        var byNode: [String: [Attempt]] = [:]
        for attempt in open {
            let name = attempt.node ?? home(of: calls[attempt.call].key)
            byNode[name, default: []].append(attempt)
        }
        let work = byNode.map { (node: node($0.key), attempts: $0.value) }
        let answers = await withTaskGroup(of: [(Attempt, RedisReply)].self) { group in
            for (node, attempts) in work {
                let waits = !hasOthers
                group.addTask { [patience] in
                    await Self.ask(node, waits: waits, attempts, calls, patience)
                }
            }
            var answers: [(Attempt, RedisReply)] = []
            for await some in group { answers += some }
            return answers
        }
        var again: [Attempt] = []
        for (attempt, reply) in answers {
            replies[attempt.call] = reply
            if case .error(let failure) = reply, let next = next(attempt, after: failure) {
                again.append(next)
            }
        }
        return again.sorted { $0.call < $1.call }
    }

    private static func ask(
        _ node: RedisNode,
        waits: Bool,
        _ attempts: [Attempt],
        _ calls: [ScriptCall],
        _ patience: RedisPatience
    ) async -> [(Attempt, RedisReply)] {
        let missing = Dictionary(
            attempts.filter(\.needsScript).map { calls[$0.call].script }.map { ($0.digest, $0) },
            uniquingKeysWith: { a, _ in a }
        )
        let isPromise = attempts.contains { calls[$0.call].isPromise }
        let confirmation = isPromise ? patience.confirmation.command : nil
        do throws(RedisFailure) {
            let replies = try await node.ask(waits: waits) { server in
                missing.values.map { script in
                    var load = RedisCommand("SCRIPT", "LOAD")
                    load.append(script.source)
                    return load
                } + attempts.map { calls[$0.call].command(for: server) }
                    + (confirmation.map { [$0] } ?? [])
            }
            let problem = confirmation == nil ? nil : patience.confirmation.problem(replies.last)
            return zip(attempts, replies.dropFirst(missing.count)).map { attempt, reply in
                guard let problem, calls[attempt.call].isPromise else { return (attempt, reply) }
                if case .error = reply { return (attempt, reply) }
                return (attempt, .error(RedisFailure(.noReplicas, problem)))
            }
        } catch {
            return attempts.map { ($0, .error(error)) }
        }
    }

    /// How to go on after a failure; `nil` where that is for the caller.
    private func next(_ attempt: Attempt, after failure: RedisFailure) -> Attempt? {
        var next = Attempt(call: attempt.call)
        switch failure.code {
        case .noScript:
            next.node = attempt.node
            next.needsScript = true
        case .moved(_, let node):
            next.node = node
            next.needsMap = true
        case .readOnly where hasOthers, .notConnected where hasOthers:
            next.waits = true
            next.needsMap = true
        case .ask, .tryAgain, .loading, .busy, .masterDown, .clusterDown:
            next.waits = true
        default: return nil
        }
        return next
    }

    /// 25 ms, then twice as long each time, a second at most; half of it by chance.
    private func pause(_ round: Int) async {
        let longest = min(1000, 25 << min(round - 1, 6))
        let milliseconds = Int.random(in: longest / 2...longest, using: &random)
        // Cut short by a cancelled caller: the next try is made at once then.
        try? await Task.sleep(for: .milliseconds(milliseconds))
    }

    // MARK: Nodes

    private func home(of key: String) -> String {
        let name = slots.isEmpty ? "" : slots[HashSlot.of(key)]
        return name.isEmpty ? main : name
    }

    /// The one server, or the first to be asked.
    private var main: String { primary ?? name(first) }

    /// Who may be asked about the cluster: the one that was named, its `seeds`, and whoever is known to have slots.
    private var candidates: [String] {
        if let primary { return [primary] }
        let seeds = (first.options["seeds"] ?? "").split(separator: ",").map(String.init)
        let named = [name(first)] + seeds
        return named + Set(slots).subtracting(named + [""]).sorted()
    }

    private func name(_ address: RedisAddress) -> String { "\(address.host):\(address.port)" }

    private func node(_ name: SentinelAddress) -> RedisNode {
        let key = "sentinel \(name)"
        if let node = nodes[key] { return node }
        let node = RedisNode(first.address(of: name), patience, on: group, seed: random.next())
        nodes[key] = node
        return node
    }

    private func node(_ name: String) -> RedisNode {
        if let node = nodes[name] { return node }
        var address = first
        let colon = name.lastIndex(of: ":") ?? name.endIndex
        address.port = Int(name[colon...].dropFirst()) ?? first.port
        // A server that does not know its own address leaves it out: it is the one that was asked.
        if colon > name.startIndex { address.host = String(name[..<colon]) }
        let node = RedisNode(address, patience, on: group, seed: random.next())
        nodes[name] = node
        return node
    }
}
