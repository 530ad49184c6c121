import BelfryCore
import BelfryRedisClient
import Synchronization

/// Which shards a worker asks first, so that workers who share a timeline seldom meet in one shard. Each shard has the live worker for whom its hash is highest
/// (rendezvous hashing): when one comes or goes, only what it has changes hands.
///
/// Only a preference. Claims are atomic and fenced whoever makes them: workers that see different lists, or one that comes back after it was stopped, do no harm.
final class ShardOwnership: Sendable {
    /// How often a worker that claims says so.
    static let beatMilliseconds: Int64 = 5000
    /// A worker that has not said so for this long is gone. One that has nothing to claim says it by ``RedisTimeline/beat()``.
    static let lifeMilliseconds: Int64 = 20_000
    /// What is overdue by so much has an owner that is busy or gone: anybody may claim it.
    static let patience = Duration.seconds(1)

    private struct State {
        var workers: [String] = []
        var owned: Set<Int> = []
        var beatAt: Int64?
    }

    private let worker: String
    private let shards: Int
    private let state = Mutex(State())

    init(worker: String, shards: Int) {
        self.worker = worker
        self.shards = shards
    }

    /// Whether it is time to say that this worker claims. Asked of several at once, only one is told so.
    func needsBeat(at milliseconds: Int64) -> Bool {
        guard shards > 1 else { return false }
        return state.withLock { state in
            if let last = state.beatAt, milliseconds - last < Self.beatMilliseconds { return false }
            state.beatAt = milliseconds
            return true
        }
    }

    /// Takes note of everybody who claims.
    func learn(_ workers: [String]) {
        state.withLock { state in
            guard state.workers != workers else { return }
            state.workers = workers
            state.owned = Set((0..<shards).filter { Self.owner(of: $0, among: workers) == worker })
        }
    }

    /// The shards that are to be asked, in the order given: one's own and those that have waited too long, if there are any.
    func first(of due: [Int], overdue: Set<Int>) -> [Int] {
        state.withLock { state in
            guard state.workers.count > 1 else { return due }
            let mine = due.filter { state.owned.contains($0) || overdue.contains($0) }
            return mine.isEmpty ? due : mine
        }
    }

    /// How many shards are this worker's own; all, while it knows of nobody else.
    var owned: Int {
        state.withLock { $0.workers.count > 1 ? $0.owned.count : shards }
    }

    static func owner(of shard: Int, among workers: [String]) -> String? {
        workers.max { weight(of: $0, shard) < weight(of: $1, shard) }
    }

    /// FNV-1a of the name, then one step of SplitMix64, which every worker computes alike.
    private static func weight(of worker: String, _ shard: Int) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in worker.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var mixed = SplitMix64(seed: hash &+ UInt64(shard) &* 0x9E37_79B9_7F4A_7C15)
        return mixed.next()
    }
}

extension RedisTimeline {
    /// How many shards this process asks first.
    package var ownedShards: Int { ownership.owned }

    /// Says from time to time that this process claims, and hears who else does. With every claim; to be called as often by whoever may not claim for a while.
    package func beat() async {
        guard ownership.needsBeat(at: clock.steady.steadyMilliseconds()) else { return }
        var call = call(scripts.presence, 0)
        call.append(configuration.owner)
        call.append(ShardOwnership.lifeMilliseconds)
        // Where it fails, what was known is used on.
        guard case .success(let answer) = await ask([(0, call)])[0] else { return }
        ownership.learn((answer.reply.elements ?? []).compactMap(\.string).sorted())
    }
}
