package import BelfryCore
import Synchronization

/// The timeline on Redis: pending pushes in shards, each under one hash tag, changed by scripts only (promises T1 to T13).
///
/// A push lies in the shard of its recipient, where its id stays as long as it is pending, whomever a newer version is for; a directory, itself sharded by
/// id, remembers which. What is due is decided by the server's clock, how long a lease has lasted by the time that has passed for those who use the shard.
///
/// T1 is as good as the server's persistence and replication: an append-only file that is synced always loses nothing with the process; with
/// `everysec`, and at a fail-over, the last moments can be lost; not at a fail-over to one of the replicas that ``RedisConfiguration/replicas`` asks for.
///
/// A call that fails with `io` may have been carried out in some shards. Scheduling again is safe: ids make it the same push.
package final class RedisTimeline: Timeline {
    let configuration: RedisConfiguration
    let clock: RedisClock
    let scripts: ShardScripts
    let servers: RedisServers
    let book: ShardBook
    private let listening = Mutex<Task<Void, Never>?>(nil)

    init(_ configuration: RedisConfiguration, clock: RedisClock, servers: RedisServers) {
        self.configuration = configuration
        self.clock = clock
        self.servers = servers
        scripts = ShardScripts(clock: clock)
        book = ShardBook(shards: configuration.shards, clock: clock.steady)
    }

    /// Connects, checks that everybody agrees on the layout, and takes back what this owner held when it ended.
    ///
    /// - Throws: ``TimelineError`` with `io`, `invalid` (the address, or a setting that differs from what others use), or `newerFormat`.
    package static func open(
        _ address: RedisAddress,
        configuration: RedisConfiguration,
        clock: RedisClock = .server,
        seed: UInt64
    ) async throws(TimelineError) -> RedisTimeline {
        guard 1...HashSlot.count ~= configuration.shards else {
            throw TimelineError(.invalid, "shards: 1 to \(HashSlot.count) are allowed")
        }
        guard !configuration.prefix.contains(where: { "{} ".contains($0) }) else {
            throw TimelineError(.invalid, "prefix: braces and spaces are not allowed")
        }
        var patience = RedisPatience()
        patience.command = configuration.commandTimeout
        patience.connect = configuration.connectTimeout
        patience.replicas = configuration.replicas
        patience.replication = configuration.replicaTimeout
        let servers = RedisServers(address, patience, seed: seed)
        let timeline = RedisTimeline(configuration, clock: clock, servers: servers)
        do throws(TimelineError) { try await timeline.begin() } catch {
            await servers.close()
            throw error
        }
        return timeline
    }

    private func begin() async throws(TimelineError) {
        do throws(RedisFailure) { try await servers.learn() } catch { throw error.timelineError }
        try await agreeOnLayout()
        try await release()
        let listener = Task { [weak self] in
            while let timeline = self, !Task.isCancelled { await timeline.listenOnce() }
        }
        listening.withLock { $0 = listener }
    }

    /// Ends the connections. What is held stays held until its leases end, or until this owner opens the timeline again.
    package func close() async {
        book.board.close()
        listening.withLock { $0 }?.cancel()
        await servers.close()
    }

    /// Says when a look is worth while.
    package var alarm: RedisAlarm { RedisAlarm(book: book, clock: clock.steady) }

    // MARK: Calls

    /// A call on one shard, with the clocks that every script takes.
    ///
    /// - Parameter isPromise: the caller is told that it is done, for good.
    func call(_ script: RedisScript, _ shard: Int, isPromise: Bool = false) -> ScriptCall {
        var call = ScriptCall(script, tag(shard), isPromise: isPromise)
        call.append(book.steady(shard).map { String($0) } ?? "")
        switch clock {
        case .server: call.append("")
        case .given(let clock): call.append(clock.now().milliseconds)
        }
        return call
    }

    /// The key that all keys of a shard begin with.
    func tag(_ shard: Int) -> String { "{\(configuration.prefix):s\(shard)}" }

    /// Asks shards, and takes note of their clocks.
    ///
    /// - Returns: what each script said, in order.
    func ask(_ calls: [(shard: Int, call: ScriptCall)]) async -> [Result<RedisReply, TimelineError>]
    {
        let replies = await servers.ask(calls.map(\.call))
        return zip(calls, replies).map { call, reply in
            if case .error(let failure) = reply { return .failure(failure.timelineError) }
            guard let parts = reply.elements, parts.count == 4, let now = parts[0].number,
                let steady = parts[1].number
            else { return .failure(TimelineError(.corrupt, "a script gave no answer")) }
            book.hear(
                call.shard,
                now: Timestamp(milliseconds: Int64(now)),
                steady: Int64(steady),
                nextDue: parts[2].number.map { Timestamp(milliseconds: Int64($0)) }
            )
            return .success(parts[3])
        }
    }

    /// The numbers of an answer.
    func codes(_ reply: RedisReply) throws(TimelineError) -> [Int?] {
        guard let elements = reply.elements else {
            throw TimelineError(.corrupt, "a script gave no list")
        }
        return elements.map(\.number)
    }

    private func agreeOnLayout() async throws(TimelineError) {
        var ask = call(scripts.layout, 0)
        ask.append(1)
        ask.append(Int64(configuration.shards))
        // Under the tag of shard 0, which there always is.
        let said = try codes(try await self.ask([(0, ask)])[0].get())
        guard said.count == 2, let format = said[0], let shards = said[1] else {
            throw TimelineError(.corrupt, "the layout in Redis cannot be read")
        }
        guard format == 1 else {
            throw TimelineError(.newerFormat, "the pushes in Redis have format \(format)")
        }
        guard shards == configuration.shards else {
            throw TimelineError(
                .invalid,
                "shards: is \(configuration.shards), but these keys are used with \(shards)"
            )
        }
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
