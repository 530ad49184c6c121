import BelfryCore
import BelfryRecords
import BelfryServer
import BelfryTestSupport
import BelfryWeChatSimulator
import Foundation
import Testing

/// `belfry serve` as a real process that is killed with SIGKILL. What people saw is asked of the simulator.
@Suite("Crashes of the server", .serialized)
struct CrashTests {
    @Test("a push survives kill -9 between the follow and its due time, and is seen once")
    func followSurvives() async throws {
        try await World.with(clock: SystemClock(), flow: World.greeting(after: 2)) { world in
            let first = try await world.start()
            let person = try await world.follower()
            try await world.crash(first)
            #expect(world.seen(person).isEmpty)
            let second = try await world.start()
            try await eventually("the message is seen") { !world.seen(person).isEmpty }
            second.signal(SIGTERM)
            #expect(try await second.ended() == 0)
            try await world.run { node in
                try await world.pass(node)
                let due = try #require(try await world.history(node, person).first?.due)
                let seen = world.seen(person)
                #expect(seen.map(\.text) == ["Hello"])
                #expect(seen.allSatisfy { $0.time >= due.milliseconds })
                #expect(try await world.ends(node, person) == [.sent])
            }
        }
    }

    @Test("left while the message was in flight, then killed: not sent again, and its end is told")
    func leftInFlight() async throws {
        try await World.with(clock: SystemClock(), flow: World.greeting(after: 1)) { world in
            let first = try await world.start()
            world.simulator.add(FaultRule(Fault(.slow(.seconds(5))), path: World.sendPath))
            let person = try await world.follower()
            try await eventually("the send is in flight") { world.simulator.faults.isEmpty }
            try await world.simulator.unfollow(world.appID, openID: person)
            try await world.crash(first)
            try await world.run { node in
                try await eventually("the end is told") {
                    try await !world.ends(node, person).isEmpty
                }
                try await world.pass(node)
                #expect(try await world.ends(node, person) == [.unknown])
            }
            #expect(world.seen(person).count <= 1)
        }
    }

    /// What happened to a person while servers were dying.
    private struct Life: Sendable {
        var person: String
        var followed = false
        /// The person left in WeChat, whether or not a server lived to acknowledge it.
        var leaves = false
        /// When an unsubscribe was acknowledged.
        var left: Timestamp?
    }

    @Test(
        "killed ten times under load: whoever was acknowledged is sent to or explained, on time, once"
    )
    func killLoop() async throws {
        try await World.with(
            clock: SystemClock(),
            flow: World.greeting(after: 1)
        ) { world in
            var random = SplitMix64(seed: 20_261_121)
            var lives: [Life] = []
            for _ in 0..<10 {
                let server = try await world.start(attempts: 1)
                let pause = Duration.milliseconds(Int.random(in: 150...700, using: &random))
                async let arrived = arrivals(20, in: world)
                try await Task.sleep(for: pause)
                try await world.crash(server)
                lives += try await arrived
            }
            try await world.run { node in
                try await world.pass(node)
                for life in lives { try await judge(life, world, node) }
            }
            // The test means something only if there was something to lose, and something was sent.
            #expect(lives.count { $0.followed && $0.left == nil } >= 20)
            #expect(world.simulator.summary.custom >= 10)
            #expect(world.simulator.summary.duplicated == 0)
            #expect(world.simulator.summary.sentWithoutPermission == 0)
        }
    }

    /// People follow one after the other, every fourth leaves at once. Whoever finds the server dead goes unacknowledged.
    private func arrivals(_ count: Int, in world: World) async throws -> [Life] {
        try await withThrowingTaskGroup(of: Life.self) { group in
            for number in 0..<count {
                try await Task.sleep(for: .milliseconds(15))
                group.addTask {
                    let follow = try await world.simulator.follow(world.appID)
                    var life = Life(person: follow.openID, followed: follow.isAnswered)
                    guard number % 4 == 0 else { return life }
                    life.leaves = true
                    let unfollow = try await world.simulator.unfollow(
                        world.appID,
                        openID: follow.openID
                    )
                    if unfollow.isAnswered { life.left = world.clock.now() }
                    return life
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func judge(_ life: Life, _ world: World, _ node: BelfryNode) async throws {
        let seen = world.seen(life.person)
        let records = try await world.history(node, life.person)
        let ends = try await world.ends(node, life.person)
        #expect(seen.count <= 1, "\(life.person) saw a message twice")
        if let due = records.first(where: { $0.state == .waiting(.scheduled) })?.due {
            #expect(seen.allSatisfy { $0.time >= due.milliseconds }, "\(life.person): early")
            if let left = life.left, left < due {
                #expect(seen.isEmpty, "\(life.person) left before it was due")
                let refused = world.simulator.refusals().filter { $0.openID == life.person }
                #expect(refused.isEmpty, "\(life.person) left, and we tried to send")
            }
        } else {
            #expect(!life.followed, "\(life.person): acknowledged, and nothing on record")
        }
        // Whoever left while the message was on its way, or without an answer: a push that was cancelled in flight ends with its
        // sender, and a sender that was killed tells nobody. It is not sent again, which is asked above.
        let hasLeftInTime = life.left.map { left in
            records.contains { $0.state == .waiting(.scheduled) && left < $0.due }
        }
        if life.followed, !life.leaves || hasLeftInTime == true {
            #expect(!seen.isEmpty || !ends.isEmpty, "lost: \(life) \(records)")
        }
    }

    @Test("SIGTERM: what is in flight is finished, the exit code is 0, and nothing is sent again")
    func gracefulStop() async throws {
        try await World.with(clock: SystemClock(), flow: World.greeting(after: 1)) { world in
            let server = try await world.start()
            // Answered late: the stop comes in between.
            world.simulator.add(
                FaultRule(Fault(.slow(.milliseconds(1500))), path: World.sendPath)
            )
            let person = try await world.follower()
            try await eventually("the send is in flight") { world.simulator.faults.isEmpty }
            server.signal(SIGTERM)
            #expect(try await server.ended(within: .seconds(10)) == 0)
            try await world.run { node in
                #expect(try await world.ends(node, person) == [.sent])
                try await world.pass(node)
            }
            #expect(world.seen(person).count == 1)
        }
    }
}
