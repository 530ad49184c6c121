import BelfryCore
import BelfryJournal
import BelfryMoving
import BelfrySimulation
import BelfryTestSupport
import Synchronization
import Testing

@Suite("The mover", .serialized)
struct MoverTests {
    private let clock = ManualClock()
    private let folders = [TemporaryFolder(), TemporaryFolder()]
    private let hand = MemoryHand()

    private func engines() async throws -> [JournalTimeline] {
        var engines: [JournalTimeline] = []
        for folder in folders {
            engines.append(try await JournalTimeline.open(folder: folder.path, clock: clock))
        }
        return engines
    }

    private func sides(_ engines: [any MovableTimeline], _ alarms: [JournalTimeline]) -> Sides {
        Sides(
            Side(engines[1], alarm: alarms[1].alarm, mark: 1),
            source: Side(engines[0], alarm: alarms[0].alarm, mark: 0)
        )
    }

    private func pushes(_ count: Int) -> [Push] {
        (0..<count).map { number in
            Push(
                id: PushID("p\(number)"),
                recipient: Recipient(account: "a", person: "o\(number)"),
                due: clock.now() + .seconds(Int64(number)),
                channel: "log",
                payload: [UInt8(number)]
            )
        }
    }

    @Test("brings everything over, and says when it has come to the end")
    func all() async throws {
        let engines = try await engines()
        try await engines[0].schedule(pushes(25))
        let timeline = MovingTimeline(sides(engines, engines), hand: hand, clock: clock)
        var moved = 0
        var mark: PageMark?
        repeat {
            let step = try await Mover(timeline).step(after: mark, limit: 10)
            (moved, mark) = (moved + step.moved, step.next)
        } while mark != nil
        #expect(moved == 25)
        #expect(try await engines[0].counts() == TimelineCounts())
        #expect(try await engines[1].counts().scheduled == 25)
    }

    @Test("is counted also while the old place is closed, when it has come to the end")
    func closing() async throws {
        let engines = try await engines()
        try await engines[1].schedule(pushes(5))
        let moving = Mutex<MovingTimeline?>(nil)
        let end = Sides(Side(engines[1], alarm: engines[1].alarm, mark: 1))
        let old = BreakingTimeline(base: engines[0], breaker: Breaker(.afterTaking)) {
            await moving.withLock { $0 }?.use(end)
            await engines[0].close()
        }
        let timeline = MovingTimeline(sides([old, engines[1]], engines), hand: hand, clock: clock)
        moving.withLock { $0 = timeline }
        #expect(try await timeline.counts().scheduled == 5)
    }

    @Test("leaves those in the source that are to stay")
    func stays() async throws {
        let engines = try await engines()
        try await engines[0].schedule(pushes(5))
        let timeline = MovingTimeline(sides(engines, engines), hand: hand, clock: clock)
        let mover = Mover(timeline) { ids in Set(ids.filter { $0 == "p3" }) }
        _ = try await mover.step(after: nil, limit: 10)
        #expect(try await engines[0].find(["p3"])[0] != nil)
        #expect(try await engines[1].counts().scheduled == 4)
    }

    @Test(
        "broken off anywhere, and everything opened again, has lost and doubled nothing",
        arguments: BreakPoint.allCases
    )
    func broken(point: BreakPoint) async throws {
        let old = try await engines()
        let breaker = Breaker(point)
        try await old[0].schedule(pushes(6))
        let breaking = old.map { BreakingTimeline(base: $0, breaker: breaker) }
        let timeline = MovingTimeline(
            sides(breaking, old),
            hand: BreakingHand(base: hand, breaker: breaker),
            clock: clock
        )
        await #expect(throws: TimelineError.self) {
            _ = try await Mover(timeline).step(after: nil, limit: 10)
        }
        for engine in old { await engine.close() }
        let new = try await engines()
        let again = MovingTimeline(sides(new, new), hand: hand, clock: clock)
        try await Mover(again).repair()
        #expect(try await hand.pushes().isEmpty)
        _ = try await Mover(again).step(after: nil, limit: 10)
        #expect(try await new[0].counts() == TimelineCounts())
        clock.advance(by: .seconds(60))
        let claims = try await again.claim(limit: 100, lease: .seconds(10)).claims
        #expect(
            claims.map(\.push)
                == pushes(6).map { push in
                    var push = push
                    push.due = push.due - .seconds(60)
                    return push
                }
        )
    }

    @Test("does not bring back what was cancelled while a broken move had it in hand")
    func cancelledInHand() async throws {
        let engines = try await engines()
        let breaker = Breaker(.afterTaking)
        try await engines[0].schedule(pushes(3))
        let timeline = MovingTimeline(
            sides(engines, engines),
            hand: BreakingHand(base: hand, breaker: breaker),
            clock: clock
        )
        await #expect(throws: TimelineError.self) {
            _ = try await Mover(timeline).step(after: nil, limit: 10)
        }
        #expect(try await timeline.cancel(["p1"]) == [.cancelled])
        let claim = try await timeline.claim(limit: 1, lease: .seconds(10)).claims[0]
        #expect(
            try await timeline.settle([Settlement(token: claim.token, result: .done)]) == [.settled]
        )
        #expect(try await Mover(timeline).repair() == 0)
        #expect(
            try await timeline.find(["p0", "p1", "p2"]).map { $0 != nil } == [false, false, true]
        )
    }

    @Test("whoever was not heard of for long is refused until it has looked again")
    func fenced() async throws {
        let engines = try await engines()
        let timeline = MovingTimeline(sides(engines, engines), hand: hand, clock: clock)
        timeline.trust(until: clock.steadyMilliseconds() + 10_000)
        try await timeline.schedule(pushes(1))
        clock.advance(by: .seconds(11))
        await #expect(throws: TimelineError.self) { try await timeline.schedule(pushes(2)) }
        await #expect(throws: TimelineError.self) {
            _ = try await timeline.claim(limit: 1, lease: .seconds(1))
        }
        timeline.trust(until: nil)
        try await timeline.schedule(pushes(2))
    }
}
