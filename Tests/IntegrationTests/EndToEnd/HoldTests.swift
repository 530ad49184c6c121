import BelfryCore
import BelfryDelivery
import BelfryRecords
import BelfryServer
import BelfryTestSupport
import Testing

/// What holds, and what can never be sent, in the history.
@Suite("Holds")
struct HoldTests {
    private func push(_ id: PushID, _ channel: String, _ world: World) -> Push {
        Push(
            id: id,
            recipient: world.recipient("somebody"),
            due: world.clock.now(),
            channel: channel,
            payload: Array("x".utf8)
        )
    }

    private func end(of id: PushID, _ node: BelfryNode) async throws -> DeliveryRecord? {
        var query = DeliveryQuery()
        query.push = id
        return try await node.records.deliveries.find(query).items.first {
            if case .ended = $0.state { true } else { false }
        }
    }

    @Test("a push that a pause held is late against the time asked for, and says what held it")
    func held() async throws {
        try await World.with { world in
            try await world.run { node in
                try await node.records.accounts.pause(World.account, reason: "test")
                try await node.accounts.reload(World.account)
                let asked = world.clock.now()
                try await node.timeline.schedule([push("held", "log", world)])
                try await eventually("it is held") {
                    node.dispatcher.snapshot().waits[.heldPaused] != nil
                }
                world.clock.pass(to: asked + .minutes(10))
                try await node.records.accounts.pause(World.account, reason: nil)
                try await node.accounts.reload(World.account)
                try await world.pass(node)
                let line = try #require(try await end(of: "held", node))
                #expect(line.state == .ended(.sent))
                #expect(line.asked == asked && line.due > asked)
                #expect(line.heldFor == .heldPaused)
                #expect(try #require(line.latenessMilliseconds) >= 600_000)
            }
        }
    }

    @Test("a push that its account cannot carry is a dead letter, and stops nobody else")
    func impossible() async throws {
        try await World.with { world in
            try await world.run { node in
                try await node.timeline.schedule([
                    push("hook", "webhook", world), push("log", "log", world),
                ])
                try await world.pass(node)
                let dead = try #require(try await end(of: "hook", node))
                #expect(dead.state == .ended(.dead) && dead.cause.code == "no_webhook")
                #expect(dead.cause.remedy.contains("belfry account set"))
                #expect(try await end(of: "log", node)?.state == .ended(.sent))
                #expect(node.accounts[World.account]?.record.paused == nil)
            }
        }
    }

    @Test("a deleted account sends nothing, to a log neither", arguments: ["log", "webhook"])
    func deleted(channel: String) async throws {
        try await World.with { world in
            try await world.run { node in
                var later = push("later", channel, world)
                later.due = world.clock.now() + .minutes(1)
                try await node.timeline.schedule([later])
                try await node.records.accounts.remove(World.account)
                try await node.accounts.reload(World.account)
                try await world.pass(node)
                let line = try #require(try await end(of: "later", node))
                #expect(line.state == .ended(.dead) && line.cause.code == "unknown_account")
            }
        }
    }
}
