import BelfryCore
import BelfryRedisClient

/// What servers have confirmed is kept here, too, until their replicas have it.
extension RedisTimeline {
    /// Keeps changes before somebody is told of them.
    ///
    /// - Throws: ``TimelineError`` with `full` or `io`: they are done, but a fail-over may lose them.
    func keep(_ changes: [Intent]) async throws(TimelineError) {
        guard let intents, !changes.isEmpty else { return }
        try await intents.append(changes)
        // Whoever adopted their shard meanwhile has not seen them.
        let floors = book.floors
        let late = Set(changes.filter { $0.change <= floors[$0.shard] }.map(\.shard))
        guard !late.isEmpty else { return }
        try await adopt(late, since: book.adoptions)
    }

    /// One round of letting go of what servers and their replicas have for certain.
    func passOnce(_ mark: inout IntentMark?) async throws(TimelineError) {
        guard let intents else { return }
        if let open = mark {
            let standings = try await standings()
            guard open.isSame(standings) else {
                mark = nil
                return
            }
            guard open.isPassed(standings, hasReplicas: hasReplicas, at: clock.steady) else {
                return try await trim(intents)
            }
            try await intents.forget(before: open.segment)
            mark = nil
        }
        guard let segment = try await intents.roll() else { return }
        let before = try await standings()
        // Every shard is adopted by the server that has it, and that server is still the same afterwards.
        try await lookAtAll()
        let after = try await standings()
        let new = IntentMark(segment: segment, standings: after, at: clock.steady)
        if new.isSame(before) { mark = new }
        try await trim(intents)
    }

    private func trim(_ intents: IntentLog) async throws(TimelineError) {
        let dropped = try await intents.trim(to: configuration.intentBytes)
        guard dropped > 0 else { return }
        configuration.told(
            "no replica has confirmed \(dropped) bytes of accepted changes, and there is no more room to keep them: a fail-over may lose them"
        )
    }

    /// Who every server is now, and how far it and its replicas are.
    func standings() async throws(TimelineError) -> [String: ServerStanding] {
        var standings: [String: ServerStanding] = [:]
        for node in await servers.all() {
            let name = "\(node.address.host):\(node.address.port)"
            do throws(RedisFailure) { standings[name] = try await node.standing() } catch {
                throw error.timelineError
            }
        }
        if standings.values.contains(where: { !$0.replicas.isEmpty }) { noteReplicas() }
        return standings
    }

    /// Lets go of what is safe, after a second.
    func passSoon(_ mark: inout IntentMark?) async {
        do {
            try await Task.sleep(for: .seconds(1))
            try await passOnce(&mark)
        } catch {
            // A server that cannot be asked confirms nothing; what it has not confirmed is kept. The next round asks again.
            mark = nil
        }
    }
}

/// A moment before which everything that was kept is to be let go, as soon as it is safe.
struct IntentMark: Sendable {
    /// What was kept before lies in older files than this.
    var segment: UInt64
    /// As it was then, or later.
    private var standings: [String: ServerStanding]
    private var madeAt: Int64
    /// A server without replicas syncs its file every second, and late by one at most; more than twice that.
    private static let syncMilliseconds: Int64 = 5000

    init(segment: UInt64, standings: [String: ServerStanding], at clock: any WallClock) {
        self.segment = segment
        self.standings = standings
        madeAt = clock.steadyMilliseconds()
    }

    /// Whether the servers are the ones of that moment.
    func isSame(_ now: [String: ServerStanding]) -> Bool {
        standings.mapValues(\.identity) == now.mapValues(\.identity)
            && now.values.allSatisfy(\.isPrimary)
    }

    /// Whether all replicas of every server have what it had then. Where there never were any, whether its file has it.
    func isPassed(
        _ now: [String: ServerStanding],
        hasReplicas: Bool,
        at clock: any WallClock
    ) -> Bool {
        guard hasReplicas else {
            return clock.steadyMilliseconds() - madeAt >= Self.syncMilliseconds
        }
        return now.allSatisfy { name, standing in
            let wanted = standings[name]?.offset ?? .max
            return standing.replicas.min().map { $0 >= wanted } ?? false
        }
    }
}
