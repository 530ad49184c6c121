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

    /// Takes note of an answer.
    func hear(_ moment: Moment) {
        let ours = clock.steadyMilliseconds()
        state.withLock { state in
            state.heard = (moment.now, ours)
            state.ahead = max(state.ahead ?? .min, moment.steady - ours)
            state.nextDue = moment.nextDue
        }
        board.publish(moment.nextDue)
    }

    /// Takes note that somebody has put something that is due earlier.
    func hint(_ due: Timestamp) {
        let earliest = state.withLock { state in
            let earliest = min(state.nextDue ?? due, due)
            state.nextDue = earliest
            return earliest
        }
        board.publish(earliest)
    }
}

/// The server's clocks at a call, and when to look next.
struct Moment: Sendable {
    var now: Timestamp
    /// Time passed, by the monotonic clocks of all who use the schema.
    var steady: Int64
    var nextDue: Timestamp?
}
