import BelfryCore
import Synchronization

/// What this process knows of the shards: their clocks and when each is next worth a look. Only a hint: others change the shards, too.
final class ShardBook: Sendable {
    private struct Shard {
        /// By how much the shard's steady clock is ahead of ours: the most that was ever seen, since an answer that took long shows less.
        var ahead: Int64?
        var isKnown = false
        var nextDue: Timestamp?
        /// The shard's steady clock at the newest answer: answers overtake each other on their way into this book.
        var newest = Int64.min
        var answers = 0
        /// How many hints there were, and the earliest that no later answer has covered.
        var hints = 0
        var unseen: Timestamp?
        /// How often this process has adopted it, and the change with which its server began then.
        var adoptions = 0
        var floor = 0
        /// Its last change that was heard of.
        var last = 0
        /// What lay in it, each time that everything was new; the newest last.
        var names: [String] = []

        mutating func hear(_ answer: ShardAnswer, since call: Begun) {
            guard answer.steady >= newest else { return }
            // Of two calls at the same time and in the same millisecond nobody can say which came first: too early costs one look.
            let isTie = answer.steady == newest && answers != call.answers
            newest = answer.steady
            answers += 1
            if hints == call.hints { unseen = nil }
            let known = [answer.nextDue, unseen, isTie ? nextDue : nil]
            nextDue = known.compactMap { $0 }.min()
        }
    }

    /// What was known of a shard when a call on it began.
    struct Begun: Sendable {
        fileprivate var answers: Int
        fileprivate var hints: Int
    }

    private struct State {
        var shards: [Shard]
        /// The server's time at the last answer, and ours then.
        var heard: (now: Timestamp, steady: Int64)?
        var looked: Int64?
    }

    /// Tells whoever waits when something is worth a look.
    let board = AlarmBoard()
    private let clock: any WallClock
    private let state: Mutex<State>

    init(shards: Int, clock: any WallClock) {
        self.clock = clock
        state = Mutex(State(shards: Array(repeating: Shard(), count: shards)))
    }

    /// The least that a shard's steady clock shows now; `nil` where it was never heard of.
    func steady(_ shard: Int) -> Int64? {
        let ours = clock.steadyMilliseconds()
        return state.withLock { $0.shards[shard].ahead }.map { ours + $0 }
    }

    /// The server's time now, as far as can be told; never ahead of it while nobody sets its clock back.
    var now: Timestamp? {
        let ours = clock.steadyMilliseconds()
        return state.withLock { $0.heard }.map { $0.now + .milliseconds(ours - $0.steady) }
    }

    /// Begins a call on each of these shards: its answer covers the hints that have come before it.
    func begin(_ shards: some Sequence<Int>) -> [Begun] {
        state.withLock { state in
            shards.map { Begun(answers: state.shards[$0].answers, hints: state.shards[$0].hints) }
        }
    }

    /// Takes note of an answer. What was put meanwhile it may not have seen: that stays worth another look.
    ///
    /// - Parameter call: what ``begin(_:)`` gave before the server was asked.
    func hear(_ shard: Int, _ answer: ShardAnswer, since call: Begun) {
        let ours = clock.steadyMilliseconds()
        let earliest = state.withLock { state in
            state.heard = (answer.now, ours)
            state.shards[shard].ahead = max(
                state.shards[shard].ahead ?? .min,
                answer.steady - ours
            )
            state.shards[shard].last = max(state.shards[shard].last, answer.last)
            if !answer.isAsBefore {
                state.shards[shard].isKnown = true
                state.shards[shard].hear(answer, since: call)
            }
            return state.shards.compactMap(\.nextDue).min()
        }
        board.publish(earliest)
    }

    /// Takes note that somebody has put something that is due earlier.
    func hint(_ shard: Int, due: Timestamp) {
        let earliest = state.withLock { state in
            state.shards[shard].hints += 1
            state.shards[shard].unseen = min(state.shards[shard].unseen ?? due, due)
            state.shards[shard].nextDue = min(state.shards[shard].nextDue ?? due, due)
            return state.shards.compactMap(\.nextDue).min()
        }
        board.publish(earliest)
    }

    /// Of each shard, how often this process has adopted it.
    var adoptions: [Int] { state.withLock { $0.shards.map(\.adoptions) } }

    /// Of each shard, the change with which the server began for which this process has adopted it.
    var floors: [Int] { state.withLock { $0.shards.map(\.floor) } }

    /// The last change of a shard that was heard of: a server that does not have it is not the one that was heard.
    func last(_ shard: Int) -> Int { state.withLock { $0.shards[shard].last } }

    func didAdopt(_ shard: Int, floor: Int) {
        state.withLock { state in
            state.shards[shard].adoptions += 1
            state.shards[shard].floor = max(state.shards[shard].floor, floor)
        }
    }

    /// The name of what lies in a shard; `nil`: not heard yet.
    func name(_ shard: Int) -> String? { state.withLock { $0.shards[shard].names.last } }

    /// The shards of these in which something else lies than this process has ever heard of: all that was there is lost.
    func lost(_ names: [Int: String]) -> [Int] {
        state.withLock { state in
            names.filter { shard, name in
                let known = state.shards[shard].names
                return !known.isEmpty && !known.contains(name)
            }.keys.sorted()
        }
    }

    /// Takes note of what lies in shards.
    ///
    /// - Returns: those in which everything was lost, and nobody has been told yet.
    func note(_ names: [Int: String]) -> [Int] {
        state.withLock { state in
            names.keys.sorted().filter { shard in
                guard let name = names[shard], !state.shards[shard].names.contains(name) else {
                    return false
                }
                state.shards[shard].names.append(name)
                return state.shards[shard].names.count > 1
            }
        }
    }

    /// Whether every shard must be asked again: because one was never heard of, or the last time is too long ago.
    func needsLook(every sweep: Duration) -> Bool {
        let ours = clock.steadyMilliseconds()
        return state.withLock { state in
            guard let looked = state.looked else { return true }
            return ours - looked >= sweep.milliseconds || state.shards.contains { !$0.isKnown }
        }
    }

    func didLook() {
        let ours = clock.steadyMilliseconds()
        state.withLock { $0.looked = ours }
    }

    /// The shards with something due for so long, the one that has waited longest first.
    func due(since span: Duration = .zero) -> [Int] {
        guard let now = now.map({ $0 - span }) else { return [] }
        return state.withLock { state in
            state.shards.indices.compactMap { index in
                state.shards[index].nextDue.flatMap { $0 <= now ? ($0, index) : nil }
            }
        }.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// The earliest time that any shard is worth a look; `nil` with nothing pending.
    var nextDue: Timestamp? { state.withLock { $0.shards.compactMap(\.nextDue).min() } }
}
