import BelfryCore
import BelfryMoving
import BelfrySimulation
import Synchronization

/// A timeline that is always in the middle of a move: before each call some pushes are moved, and now and then the move turns round.
final class MidMove: Timeline {
    let moving: MovingTimeline
    private let mover: Mover
    private let random: Mutex<SplitMix64>
    private let mark = Mutex<PageMark?>(nil)

    private let turns = SharedGate()

    init(_ sides: Sides, seed: UInt64) {
        // How long a step takes is time that passes, whatever the test's clock does.
        moving = MovingTimeline(sides, hand: MemoryHand(), clock: SystemClock())
        mover = Mover(moving)
        random = Mutex(SplitMix64(seed: seed))
    }

    /// Turns round with a chance of one in eight, then moves up to three times up to two pushes.
    func stir() async throws(TimelineError) {
        try await turns.alone { () async throws(TimelineError) in try await stirOnce() }
    }

    private func stirOnce() async throws(TimelineError) {
        let (turns, steps, limit) = random.withLock { random in
            (random.next() % 8 == 0, random.next() % 4, Int(random.next() % 2) + 1)
        }
        let sides = moving.sides
        if turns, let source = sides.source {
            await moving.use(Sides(source, source: sides.target))
            mark.withLock { $0 = nil }
        }
        for _ in 0..<steps {
            let step = try await mover.step(after: mark.withLock { $0 }, limit: limit)
            mark.withLock { $0 = step.next }
        }
    }

    func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        try await stir()
        return try await moving.schedule(batch)
    }

    func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        try await stir()
        return try await moving.cancel(ids)
    }

    func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        try await stir()
        return try await moving.find(ids)
    }

    func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        try await stir()
        return try await moving.claim(limit: limit, lease: lease, deferring: deferral)
    }

    func settle(_ settlements: [Settlement]) async throws(TimelineError) -> [SettleOutcome] {
        try await stir()
        return try await moving.settle(settlements)
    }

    func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    {
        try await stir()
        return try await moving.extend(tokens, lease: lease)
    }

    func nextDue() async throws(TimelineError) -> Timestamp? { try await moving.nextDue() }

    func forecast(from: Timestamp, to: Timestamp, bucket: Duration) async throws(TimelineError)
        -> [Int]
    {
        try await moving.forecast(from: from, to: to, bucket: bucket)
    }

    func counts() async throws(TimelineError) -> TimelineCounts { try await moving.counts() }
}
