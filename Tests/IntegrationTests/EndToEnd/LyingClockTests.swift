import BelfryCore
import BelfryJournal
import BelfryServer
import BelfrySimulation
import BelfryWeChatSimulator
import Testing

/// The machine's clock is set while pushes wait.
@Suite("A clock that is set")
struct LyingClockTests {
    @Test("set back an hour: what waits is sent once, not before it is due, and nothing is lost")
    func back() async throws {
        let clock = ManualClock()
        try await World.with(clock: clock, flow: World.greeting(after: 5)) { world in
            var before: [String] = []
            try await world.run { node in
                for _ in 0..<5 { before.append(try await world.follower()) }
                let due = clock.now() + .seconds(5)
                clock.jump(to: clock.now() + .hours(-1))
                // The machine's clock shows an hour less: nobody is to be greeted by mistake, or twice, until it shows `due` again.
                try await world.pass(node, to: clock.now() + .seconds(1))
                for person in before { #expect(world.seen(person).count <= 1) }
                try await world.pass(node, to: due)
                for person in before {
                    #expect(world.seen(person).count == 1)
                    #expect(world.seen(person).allSatisfy { $0.time >= due.milliseconds })
                    #expect(try await world.ends(node, person) == [.sent])
                }
            }
        }
    }

    @Test(
        "set back an hour and restarted: whoever follows is greeted once, whoever was is not again"
    )
    func backAndRestarted() async throws {
        let clock = ManualClock()
        try await World.with(clock: clock, flow: World.greeting(after: 5)) { world in
            var first = ""
            var second = ""
            try await world.run { node in
                first = try await world.follower()
                try await world.pass(node)
                #expect(world.seen(first).count == 1)
            }
            clock.jump(to: clock.now() + .hours(-1))
            try await world.run { node in
                second = try await world.follower()
                try await world.pass(node)
                #expect(try await world.ends(node, second) == [.sent])
            }
            #expect(world.seen(first).count == 1)
            #expect(world.seen(second).count == 1)
        }
    }

    @Test("set ahead an hour and back again: everything is sent once")
    func ahead() async throws {
        let clock = ManualClock()
        try await World.with(clock: clock, flow: World.greeting(after: 5)) { world in
            try await world.run { node in
                let start = clock.now()
                let first = try await world.follower()
                clock.jump(to: start + .hours(1))
                try await world.pass(node)
                clock.jump(to: start + .seconds(1))
                let second = try await world.follower()
                try await world.pass(node)
                try await world.pass(node, to: start + .hours(2))
                #expect(try await world.ends(node, first).count == 1)
                #expect(try await world.ends(node, second).count == 1)
                #expect(world.seen(first).count <= 1)
                #expect(world.seen(second).count == 1)
                #expect(world.simulator.summary.duplicated == 0)
                #expect(try await node.timeline.counts().scheduled == 0)
            }
        }
    }
}
