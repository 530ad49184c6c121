import BelfryCore
import Synchronization

/// What this process knows of the server: its clocks and when a look is next worth while. Only a hint: others change the pushes, too.
final class PostgresBook: Sendable {
    private struct State {
        /// By how much the shared steady clock is ahead of ours: the most that was ever seen, since an answer that took long shows less.
        var ahead: Int64?
        /// The server's time at the last answer, and ours then.
        var heard: (now: Timestamp, steady: Int64)?
        var nextDue: Timestamp?
        /// How many hints there were, and the earliest that no later look has covered.
        var hints = 0
        var unseen: Timestamp?
    }

    /// Tells whoever waits when something is worth a look.
    let board = AlarmBoard()
    private let clock: any WallClock
    private let state = Mutex(State())

    init(clock: any WallClock) { self.clock = clock }

    /// The least that the shared steady clock shows now; `nil` where it was never heard of.
    var steady: Int64? {
        let ours = clock.steadyMilliseconds()
        return state.withLock { $0.ahead }.map { ours + $0 }
    }

    /// The server's time now, as far as can be told.
    var now: Timestamp? {
        let ours = clock.steadyMilliseconds()
        return state.withLock { $0.heard }.map { $0.now + .milliseconds(ours - $0.steady) }
    }

    /// When a look is next worth while; `nil`: nothing is pending.
    var nextDue: Timestamp? { state.withLock { $0.nextDue } }

    /// Begins a look: its answer covers the hints that have come before it.
    func begin() -> Int { state.withLock { $0.hints } }

    /// Takes note of the answer to a look. What was put meanwhile it may not have seen: that stays worth another.
    ///
    /// - Parameter look: what ``begin()`` gave before the server was asked.
    func hear(_ moment: Moment, since look: Int) {
        let earliest = state.withLock { state in
            note(moment, &state)
            if state.hints == look { state.unseen = nil }
            state.nextDue = [moment.nextDue, state.unseen].compactMap { $0 }.min()
            return state.nextDue
        }
        board.publish(earliest)
    }

    /// Takes note of the answer to a call that has put something.
    func hear(change moment: Moment) {
        state.withLock { note(moment, &$0) }
        if let due = moment.nextDue { hint(due) }
    }

    /// Takes note that somebody has put something, and when the earliest of all is due.
    func hint(_ due: Timestamp) {
        let earliest = state.withLock { state in
            state.hints += 1
            state.unseen = min(state.unseen ?? due, due)
            let earliest = min(state.nextDue ?? due, due)
            state.nextDue = earliest
            return earliest
        }
        board.publish(earliest)
    }

    private func note(_ moment: Moment, _ state: inout State) {
        let ours = clock.steadyMilliseconds()
        state.heard = (moment.now, ours)
        state.ahead = max(state.ahead ?? .min, moment.steady - ours)
    }
}

/// The server's clocks at a call, and when to look next.
struct Moment: Sendable {
    var now: Timestamp
    /// Time passed, by the monotonic clocks of all who use the schema.
    var steady: Int64
    var nextDue: Timestamp?
}
