import BelfryCore
import BelfryDelivery
import BelfryPostgresProcess
import BelfryRecords
import BelfryServer
import BelfryTestSupport
import Synchronization
import Testing

/// The whole product while its records go to another engine: people follow, flows go on, messages leave.
@Suite("Moving the records while people arrive")
struct MovingRecordsTests {
    @Test(
        "nobody who arrives is lost, everybody gets every message once, and the history goes along"
    )
    func crowd() async throws {
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        try await World.with { world in
            var people: [String] = []
            var histories: [[DeliveryRecord]] = []
            try await world.run { node in
                people = try await follow(5, world)
                try await pass(node, world)
                let crowd = Crowd()
                async let arriving = crowd.arrive(in: world, node)
                try await moved(to: postgres.address(), node)
                crowd.stop()
                let (followers, writes) = try await arriving
                people += followers
                people += try await follow(5, world)
                try await pass(node, world)
                for person in people {
                    #expect(world.seen(person).count == 2, "\(person)")
                    let ends = try await world.ends(node, person)
                    #expect(ends == [.sent, .sent], "\(person)")
                }
                #expect(try await node.records.settings.find("crowd")?.version == writes)
                histories = try await self.histories(of: people, world, node)
            }
            let error = await #expect(throws: RecordsError.self) { try await world.run { _ in } }
            #expect(error?.code == .elsewhere && error?.message.contains("postgres://") == true)
            // And after a restart with the new place.
            let there = world.keepingRecords(in: postgres.address())
            try await there.run { node in
                #expect(node.records.isShared)
                let after = try await self.histories(of: people, world, node)
                #expect(after == histories)
                let faults = try await node.records.verify()
                #expect(faults.isEmpty)
            }
        }
    }

    private func follow(_ count: Int, _ world: World) async throws -> [String] {
        var people: [String] = []
        for _ in 0..<count { people.append(try await world.follower()) }
        return people
    }

    /// Lets twenty seconds pass, one by one, so that a crowd's permissions do not run out meanwhile.
    private func pass(_ node: BelfryNode, _ world: World) async throws {
        for _ in 0..<20 {
            world.clock.pass(to: world.clock.now() + .seconds(1))
            try await eventually("what is due is done") {
                let next = try await node.timeline.nextDue() ?? .distantFuture
                let lent = try await node.timeline.counts().inFlight
                let snapshot = node.dispatcher.snapshot()
                return next > world.clock.now() && lent == 0 && snapshot.inFlight == 0
                    && snapshot.unrecorded == 0
            }
        }
    }

    private func moved(to place: String, _ node: BelfryNode) async throws {
        try node.mover.begin(to: place)
        try await eventually("the records have moved") { node.mover.status.phase != .moving }
        let status = node.mover.status
        #expect(status.phase == .moved, "\(status)")
        #expect(status.place.hasPrefix("postgres://") && !status.place.contains("password"))
    }

    private func histories(of people: [String], _ world: World, _ node: BelfryNode) async throws
        -> [[DeliveryRecord]]
    {
        var histories: [[DeliveryRecord]] = []
        for person in people { histories.append(try await world.history(node, person)) }
        return histories
    }
}

/// People who follow one after another, and then one who writes, until told to stop.
private final class Crowd: Sendable {
    /// More would run into what WeChat allows within their permissions.
    private static let people = 25
    private let isOver = Mutex(false)

    func stop() { isOver.withLock { $0 = true } }

    /// - Returns: who came, and how many writes were acknowledged.
    func arrive(in world: World, _ node: BelfryNode) async throws -> ([String], Int) {
        var people: [String] = []
        var writes = 0
        repeat {
            if people.count < Self.people { people.append(try await world.follower()) }
            writes += 1
            try await node.records.settings.set("crowd", to: "\(writes)", by: "test")
        } while !isOver.withLock { $0 } && !Task.isCancelled
        return (people, writes)
    }
}
