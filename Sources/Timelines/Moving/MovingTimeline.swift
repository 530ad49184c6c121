package import BelfryCore
import Synchronization

/// A timeline over one or two others, between which pending pushes move while it is in use (promises T1 to T13).
///
/// An id is where it is: what the source holds is replaced, parked, joined and cancelled there, by its own one step; everything else is new, and goes to the target. So no call
/// needs both at once. ``Mover`` alone takes pushes from the source to the target; while it has some in hand, calls that may concern them wait.
///
/// Weaker than one engine alone: among pushes of one recipient that are due in the same millisecond, one that was moved may come after newer ones; two calls of
/// two processes that put the same new id, or the first push of the same merge group, while it moves, may leave both; and what a settlement brings along does not
/// join a group in the other timeline.
package final class MovingTimeline: Timeline {
    private struct State {
        var sides: Sides
        var changes: Int64 = 0
        var inHand: [PushID: Push] = [:]
    }

    let hand: any MoveHand
    package let clock: any WallClock
    let gate = SharedGate()
    /// As the engines are told: promise T7 across both of them.
    let ageing: Duration
    /// Wakes who waits on the alarms of other sides than there are now.
    let changed = AlarmBoard()
    private let fence = Mutex<Int64?>(nil)
    private let state: Mutex<State>

    /// - Parameter ageing: a due push moves up one priority band each time it has waited this long, here as in the engines.
    package init(
        _ sides: Sides,
        hand: any MoveHand,
        clock: any WallClock,
        ageing: Duration = .seconds(60)
    ) {
        self.hand = hand
        self.clock = clock
        self.ageing = ageing
        state = Mutex(State(sides: sides))
    }

    package var sides: Sides { state.withLock { $0.sides } }

    /// Says until when, by the steady time of ``clock``, these sides hold for certain; `nil`: for ever. Whoever was halted for so long must look first
    /// whether everything has been moved.
    package func trust(until: Int64?) { fence.withLock { $0 = until } }

    /// The sides, for a call that changes something.
    ///
    /// - Throws: ``TimelineError`` with `io` where they may be old.
    func sidesForCertain() throws(TimelineError) -> Sides {
        if let until = fence.withLock({ $0 }), clock.steadyMilliseconds() > until {
            throw TimelineError(
                .io,
                "it is not known where the pushes are: the records do not answer"
            )
        }
        return sides
    }

    package var alarm: MovingAlarm { MovingAlarm(timeline: self) }

    /// From its return on every call knows these sides: none that only knew those before is under way.
    package func use(_ sides: Sides) async {
        await gate.alone {
            let changes = state.withLock { state in
                state.sides = sides
                state.changes += 1
                return state.changes
            }
            changed.publish(Timestamp(milliseconds: -changes))
        }
    }

    /// A name for the sides that there are now; an earlier time than all before.
    var age: Timestamp { state.withLock { Timestamp(milliseconds: -$0.changes) } }

    // MARK: What is in hand

    func hold(_ pushes: [Pending]) {
        state.withLock { state in
            for pending in pushes { state.inHand[pending.push.id] = pending.push }
        }
    }

    func letGo(_ ids: [PushID]) {
        state.withLock { state in for id in ids { state.inHand[id] = nil } }
    }

    private func holdsHere(_ ids: [PushID], _ pushes: [Push]) -> Bool {
        state.withLock { state in
            guard !state.inHand.isEmpty else { return false }
            return ids.contains { state.inHand[$0] != nil }
                || state.inHand.values.contains { held in
                    pushes.contains { $0.mergesWith(held) }
                }
        }
    }

    /// Whether one of these, or of what they would join, is between the two timelines.
    func isInHand(_ ids: [PushID], mergingWith pushes: [Push] = []) async throws(TimelineError)
        -> Bool
    {
        guard !ids.isEmpty || !pushes.isEmpty else { return false }
        if holdsHere(ids, pushes) { return true }
        return hand.isShared ? try await hand.holds(ids, mergingWith: pushes) : false
    }

    /// Does something that the mover must not be in the middle of.
    ///
    /// - Parameter work: answers `nil` where what it needs is in hand; it is tried again then, from outside of the gate, so that the mover can go on.
    /// - Throws: ``TimelineError`` with `io` after ten seconds: whoever moves has failed, and nobody has yet taken over.
    func besideMover<Value>(_ work: () async throws(TimelineError) -> Value?)
        async throws(TimelineError) -> Value
    {
        for round in 0..<2000 {
            if let value = try await gate.shared(work) { return value }
            do throws(CancellationError) {
                try await clock.sleep(for: .milliseconds(round < 10 ? 1 : 5))
            } catch { break }
        }
        throw TimelineError(.io, "a push that is being moved has not arrived: try again")
    }

    /// What has ended is not to be put anywhere by whoever repairs a move that was broken off.
    func strike(_ ids: [PushID]) async throws(TimelineError) {
        let known = hand.isShared ? ids : ids.filter { holdsHere([$0], []) }
        guard !known.isEmpty else { return }
        try await hand.strike(known)
        letGo(known)
    }
}
