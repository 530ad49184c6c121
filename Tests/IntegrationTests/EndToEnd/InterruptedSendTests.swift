import BelfryCore
import BelfryJournal
import BelfryRecords
import BelfryServer
import BelfryWeChatSimulator
import Testing

/// A server that died between reserving a message's permission and writing down that it was sent.
@Suite("Interrupted sends")
struct InterruptedSendTests {
    /// Leaves the traces of a server that died when it had reserved the permission for a push.
    private func reserve(_ person: String, in world: World, made: Timestamp) async throws {
        try await world.run { node in
            let pending = try #require(
                try await node.timeline.find([world.pushID(person)]).first ?? nil
            )
            let key = ReservationKey(
                recipient: world.recipient(person),
                push: world.pushID(person),
                sequence: pending.sequence
            )
            let source = try #require(
                try await node.records.people.find(world.recipient(person))?.grants.first
            )
            try await node.records.ledger.update([key]) { ledger throws(RecordsError) in
                ledger[reservation: key] = Reservation(
                    source: source.source,
                    granted: source.granted,
                    made: made
                )
            }
        }
    }

    @Test("a message that may have been sent before a crash is unknown, and not sent a second time")
    func crashed() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            var person = ""
            try await world.run { _ in person = try await world.follower() }
            try await reserve(person, in: world, made: world.clock.now())
            world.clock.pass(to: world.clock.now() + .seconds(1))
            try await world.run { node in
                try await world.pass(node)
                let end = try #require(try await world.history(node, person).last)
                #expect(end.state == .ended(.unknown))
                #expect(end.cause.code == "interrupted")
                #expect(!end.cause.remedy.isEmpty)
            }
            #expect(world.seen(person).isEmpty)
        }
    }

    private func slowRetries(_ configuration: inout ServerConfiguration) {
        configuration.delivery.backoffBase = .seconds(10)
    }

    @Test("a push that was tried in vain before a graceful restart is sent after it")
    func retried() async throws {
        try await World.with(
            flow: World.greeting(after: 5),
            configure: slowRetries
        ) { world in
            world.simulator.add(FaultRule(Fault(.busy), path: World.sendPath))
            var person = ""
            try await world.run { node in
                person = try await world.follower()
                let due = world.clock.now() + .seconds(5)
                try await world.pass(node, to: due)
                let states = try await world.history(node, person).map(\.state)
                #expect(states == [.waiting(.scheduled), .waiting(.retrying)])
                #expect(world.simulator.faults.isEmpty)
            }
            #expect(world.seen(person).isEmpty)
            try await world.run { node in
                try await world.pass(node)
                #expect(try await world.ends(node, person) == [.sent])
            }
            #expect(world.seen(person).count == 1)
        }
    }

    @Test("a push held by a pause over a graceful restart is sent when the pause ends")
    func held() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            var person = ""
            try await world.run { node in
                person = try await world.follower()
                try await node.records.accounts.pause(World.account, reason: "maintenance")
                try await node.accounts.reload(World.account)
                try await world.pass(node, to: world.clock.now() + .seconds(8))
                #expect(world.seen(person).isEmpty)
            }
            try await world.run { node in
                try await node.records.accounts.pause(World.account, reason: nil)
                try await node.accounts.reload(World.account)
                try await world.pass(node)
                #expect(try await world.ends(node, person) == [.sent])
            }
            #expect(world.seen(person).count == 1)
        }
    }
}
