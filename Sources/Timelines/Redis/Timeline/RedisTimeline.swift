package import BelfryCore
package import BelfryRedisClient
import Synchronization

/// The timeline on Redis: pending pushes in shards, each under one hash tag, changed by scripts only (promises T1 to T13).
///
/// A push lies in the shard of its recipient, where its id stays as long as it is pending, whomever a newer version is for; a directory, itself sharded by
/// id, remembers which. What is due is decided by the server's clock, how long a lease has lasted by the time that has passed for those who use the shard.
///
/// T1 is as good as the server's persistence and replication: an append-only file that is synced always loses nothing with the process; with
/// `everysec`, and at a fail-over, the last moments can be lost; not at a fail-over to one of the replicas that ``RedisConfiguration/confirmation`` asks for,
/// and not where ``RedisConfiguration/intents`` are kept: what a server has lost is done again then.
///
/// A call that fails with `io` may have been carried out in some shards. Scheduling again is safe: ids make it the same push.
package final class RedisTimeline: Timeline {
    let configuration: RedisConfiguration
    let clock: RedisClock
    let scripts: ShardScripts
    let servers: RedisServers
    let book: ShardBook
    /// What servers have confirmed, and may lose; `nil` where that is not kept.
    let intents: IntentLog?
    let held = HeldPushes()
    let adoptions = Turns()
    let ownership: ShardOwnership
    /// Whether the last claim of several shards has left something behind that was due; before the first, nobody knows.
    var leavesBehind: Bool { behind.load(ordering: .relaxed) }
    private let behind = Atomic(true)
    private let replicated = Atomic(false)
    private let helpers = Mutex<[Task<Void, Never>]>([])

    /// Whether a server has had a replica since the timeline was opened.
    var hasReplicas: Bool { replicated.load(ordering: .relaxed) }

    func note(leavesBehind: Bool) { behind.store(leavesBehind, ordering: .relaxed) }

    func noteReplicas() { replicated.store(true, ordering: .relaxed) }

    init(
        _ configuration: RedisConfiguration,
        clock: RedisClock,
        servers: RedisServers,
        intents: IntentLog?
    ) {
        self.configuration = configuration
        self.clock = clock
        self.servers = servers
        self.intents = intents
        scripts = ShardScripts(clock: clock, rings: configuration.alarm == .keyspace)
        book = ShardBook(shards: configuration.shards, clock: clock.steady)
        ownership = ShardOwnership(worker: configuration.owner, shards: configuration.shards)
    }

    /// Connects, checks that everybody agrees on the layout, and takes back what this owner held when it ended.
    ///
    /// - Throws: ``TimelineError`` with `io`, `invalid` (the address, the log-in, or a setting that differs from what others use), or `newerFormat`.
    package static func open(
        _ address: RedisAddress,
        configuration: RedisConfiguration,
        clock: RedisClock = .server,
        seed: UInt64
    ) async throws(TimelineError) -> RedisTimeline {
        guard 1...HashSlot.count ~= configuration.shards else {
            throw TimelineError(.invalid, "shards: 1 to \(HashSlot.count) are allowed")
        }
        guard 1...255 ~= configuration.owner.utf8.count else {
            throw TimelineError(.invalid, "owner: 1 to 255 bytes are allowed")
        }
        guard !configuration.prefix.contains(where: { "{} ".contains($0) }) else {
            throw TimelineError(.invalid, "prefix: braces and spaces are not allowed")
        }
        var patience = RedisPatience()
        patience.command = configuration.commandTimeout
        patience.connect = configuration.connectTimeout
        patience.confirmation = configuration.confirmation
        let servers = RedisServers(address, patience, seed: seed)
        do throws(TimelineError) {
            return try await open(configuration, clock: clock, on: servers)
        } catch {
            await servers.close()
            throw error
        }
    }

    private static func open(
        _ configuration: RedisConfiguration,
        clock: RedisClock,
        on servers: RedisServers
    ) async throws(TimelineError) -> RedisTimeline {
        let isReplicated: Bool
        do throws(RedisFailure) {
            try await servers.learn()
            try await servers.needPrimary()
            isReplicated = try await servers.areReplicated()
            if configuration.confirmation.onDisk { try await servers.needConfirmationOnDisk() }
        } catch {
            throw error.opening(servers.address)
        }
        let intents = try configuration.intents.log(isReplicated: isReplicated)
        let timeline = RedisTimeline(
            configuration,
            clock: clock,
            servers: servers,
            intents: intents
        )
        if isReplicated { timeline.noteReplicas() }
        do throws(TimelineError) { try await timeline.begin() } catch {
            intents?.close()
            throw error
        }
        return timeline
    }

    private func begin() async throws(TimelineError) {
        try await agreeOnLayout()
        try await adopt(Set(0..<configuration.shards), since: book.adoptions)
        try await release()
        if configuration.alarm == .keyspace {
            for node in await servers.all() { try await tellEnds(node) }
        }
        let listener = Task { [weak self] in
            while let timeline = self, !Task.isCancelled { await timeline.listenOnce() }
        }
        helpers.withLock { $0 = [listener] }
        guard intents != nil else { return }
        let passing = Task { [weak self] in
            var mark: IntentMark?
            while let timeline = self, !Task.isCancelled { await timeline.passSoon(&mark) }
        }
        helpers.withLock { $0.append(passing) }
    }

    /// Ends the connections. What is held stays held until its leases end, or until this owner opens the timeline again.
    package func close() async {
        book.board.close()
        for helper in helpers.withLock({ $0 }) { helper.cancel() }
        await servers.close()
        intents?.close()
    }

    /// Says when a look is worth while.
    package var alarm: RedisAlarm {
        RedisAlarm(
            kind: configuration.alarm,
            tick: configuration.tick,
            book: book,
            clock: clock.steady
        )
    }

    // MARK: Calls

    /// A call on one shard, with the clocks that every script takes.
    ///
    /// - Parameter isPromise: the caller is told that it is done, for good.
    func call(_ script: RedisScript, _ shard: Int, isPromise: Bool = false) -> ScriptCall {
        var call = ScriptCall(
            script,
            tag(shard),
            isPromise: isPromise,
            isPatient: !scripts.lending.contains(script.digest)
        )
        let steady = book.steady(shard).map { String($0) } ?? ""
        call.append("\(steady)/\(book.last(shard))")
        switch clock {
        case .server: call.append("")
        case .given(let clock): call.append(clock.now().milliseconds)
        }
        return call
    }

    /// The key that all keys of a shard begin with.
    func tag(_ shard: Int) -> String { "{\(configuration.prefix):s\(shard)}" }

    /// Asks shards, and adopts those that are new to their server.
    ///
    /// - Returns: what each script said, in order.
    func ask(_ calls: [(shard: Int, call: ScriptCall)]) async
        -> [Result<ShardAnswer, TimelineError>]
    {
        var seen = book.adoptions
        var replies = await askOnce(calls)
        for _ in 0..<4 {
            let strangers = calls.indices.filter { replies[$0].isStranger }
            guard !strangers.isEmpty else { break }
            do throws(TimelineError) {
                try await adopt(Set(strangers.map { calls[$0].shard }), since: seen)
            } catch {
                return calls.indices.map { index in
                    Result { () throws(TimelineError) in
                        if replies[index].isStranger { throw error }
                        return try heard(replies[index])
                    }
                }
            }
            seen = book.adoptions
            for (index, reply) in zip(strangers, await askOnce(strangers.map { calls[$0] })) {
                replies[index] = reply
            }
        }
        let answers = replies.map { reply in
            Result { () throws(TimelineError) in try heard(reply) }
        }
        await adoptWhatOthersHave(zip(calls, answers).map { ($0.shard, $1) }, since: seen)
        return answers
    }

    /// Where another process has adopted a shard, this one has still to do again what it knows of.
    private func adoptWhatOthersHave(
        _ answers: [(shard: Int, answer: Result<ShardAnswer, TimelineError>)],
        since seen: [Int]
    ) async {
        guard intents != nil else { return }
        let floors = book.floors
        let behind = answers.filter { shard, answer in
            guard case .success(let answer) = answer else { return false }
            return answer.floor > floors[shard]
        }
        guard !behind.isEmpty else { return }
        // Tried again at the next call, which finds the same.
        do throws(TimelineError) { try await adopt(Set(behind.map(\.shard)), since: seen) } catch {}
    }

    /// Asks shards as they are, and takes note of their clocks.
    func askOnce(_ calls: [(shard: Int, call: ScriptCall)]) async -> [RedisReply] {
        let begun = book.begin(calls.lazy.map(\.shard))
        let replies = await servers.ask(calls.map(\.call))
        for (index, call) in calls.enumerated() {
            guard let answer = ShardAnswer(replies[index]) else { continue }
            book.hear(call.shard, answer, since: begun[index])
        }
        return replies
    }

    /// What a script said.
    func heard(_ reply: RedisReply) throws(TimelineError) -> ShardAnswer {
        if case .error(let failure) = reply { throw failure.timelineError }
        guard let answer = ShardAnswer(reply) else {
            throw TimelineError(.corrupt, "a script gave no answer")
        }
        return answer
    }

    /// The numbers of an answer.
    func codes(_ reply: RedisReply) throws(TimelineError) -> [Int?] {
        guard let elements = reply.elements else {
            throw TimelineError(.corrupt, "a script gave no list")
        }
        return elements.map(\.number)
    }

    private func release() async throws(TimelineError) {
        let calls = (0..<configuration.shards).map { shard in
            var ask = call(scripts.release, shard)
            ask.append(configuration.owner)
            return (shard, ask)
        }
        for answer in await ask(calls) { _ = try answer.get() }
        book.didLook()
    }
}
