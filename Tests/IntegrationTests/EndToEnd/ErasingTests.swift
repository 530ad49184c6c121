import BelfryCore
import BelfryJournal
import BelfryRecords
import BelfryServer
import Testing

/// What becomes of the pushes of somebody who is erased.
@Suite("Erasing a person")
struct ErasingTests {
    private static let channels = ["wechat", "webhook", "log", "null"]

    private func push(_ id: PushID, to person: String, _ channel: String, in world: World) -> Push {
        Push(
            id: id,
            recipient: world.recipient(person),
            due: world.clock.now() + .minutes(1),
            channel: channel,
            payload: Array(#"{"msgtype":"text","text":{"content":"Hi"}}"#.utf8)
        )
    }

    private func lines(_ node: BelfryNode, _ push: PushID) async throws -> [DeliveryRecord] {
        var query = DeliveryQuery()
        query.push = push
        return try await node.records.deliveries.find(query, limit: 100).items
    }

    @Test(
        "pushes accepted before end as cancelled on every channel, those accepted later go",
        arguments: [false, true]
    )
    func ownIDs(restarted: Bool) async throws {
        try await World.with { world in
            let second = { world.clock.pass(to: world.clock.now() + .seconds(1)) }
            try await world.run { node in
                for channel in Self.channels {
                    try await node.timeline.schedule([
                        push(PushID("own/\(channel)"), to: "anna", channel, in: world)
                    ])
                }
                try await node.timeline.schedule([push("other", to: "bert", "log", in: world)])
                second()
                try await node.records.people.erase(world.recipient("anna"))
                second()
                try await node.timeline.schedule([push("later", to: "anna", "null", in: world)])
                if !restarted { try await world.pass(node) }
            }
            if restarted { try await world.run { try await world.pass($0) } }
            try await world.run { node in
                for channel in Self.channels {
                    let lines = try await lines(node, PushID("own/\(channel)"))
                    #expect(lines.map(\.state) == [.ended(.cancelled)], "\(channel)")
                    #expect(lines.first?.cause.code == "erased")
                    #expect(lines.first?.recipient.person != "anna")
                }
                for id in [PushID("later"), "other"] {
                    #expect(try await lines(node, id).map(\.state) == [.ended(.sent)])
                }
                let named = try await world.history(node, "anna")
                #expect(named.map(\.push) == ["later"])
            }
        }
    }

    @Test("a flow's push that is found due all the same is stopped, and nothing follows")
    func flow() async throws {
        try await World.with { world in
            try await world.run { node in
                let person = try await world.follower()
                world.clock.pass(to: world.clock.now() + .seconds(1))
                // As the API does it, but for the cancel, which a step that begins at this moment can miss.
                try await node.records.people.erase(world.recipient(person))
                try await world.pass(node)
                #expect(world.seen(person).isEmpty)
                #expect(try await node.timeline.find([world.pushID(person)]) == [nil])
                #expect(try await world.history(node, person).isEmpty)
                #expect(try await node.records.people.find(world.recipient(person)) == nil)
                let ends = try await lines(node, PushID("flow/shop/hello/erased"))
                #expect(ends.map(\.state) == [.ended(.cancelled)])
            }
        }
    }
}
