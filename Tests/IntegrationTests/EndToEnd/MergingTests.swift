import BelfryCore
import BelfryRecords
import BelfryServer
import BelfryWeChatSimulator
import Testing

/// Steps of several flows that fall together and become one message.
@Suite("Merging")
struct MergingTests {
    /// Two steps, each of which merges with those of other flows.
    private func flow(_ key: String) -> String {
        """
        key: \(key)
        trigger: follow
        steps:
          - id: first
            after: 5s
            text: First of \(key)
            merge: { key: news, grace: 2s, max_wait: 4s }
          - id: second
            after: 10s
            text: Second of \(key)
            merge: { key: news, grace: 2s, max_wait: 4s }
        """
    }

    private func with(_ flows: [String], _ body: (World, BelfryNode) async throws -> Void)
        async throws
    {
        try await World.with(flow: flow("hello")) { world in
            try await world.run { node in
                for key in flows {
                    try await node.records.flows.publish(
                        account: World.account,
                        flow: key,
                        yaml: flow(key),
                        by: "test"
                    )
                }
                try await node.accounts.reload(World.account)
                try await body(world, node)
            }
        }
    }

    /// For each push id how many versions were planned, and how they ended.
    private func ledger(_ node: BelfryNode, _ world: World, _ person: String) async throws
        -> [PushID: (planned: Int, ends: [Outcome])]
    {
        var ledger: [PushID: (planned: Int, ends: [Outcome])] = [:]
        for line in try await world.history(node, person) {
            switch line.state {
            case .waiting(.scheduled): ledger[line.push, default: (0, [])].planned += 1
            case .waiting: break
            case .ended(let outcome): ledger[line.push, default: (0, [])].ends.append(outcome)
            }
        }
        return ledger
    }

    @Test("of three flows whose steps fall together each planned push has one end: sent or merged")
    func flows() async throws {
        try await with(["again", "third"]) { world, node in
            let person = try await world.follower()
            // What the callback planned is known at once.
            let now = try await world.ends(node, person)
            #expect(now == [.merged, .merged])
            try await world.pass(node)
            #expect(world.seen(person).count == 2)
            let ledger = try await ledger(node, world, person)
            #expect(ledger.count == 3)
            for (id, push) in ledger {
                #expect(push.planned == 2, "\(id)")
                #expect(push.ends.count == push.planned, "\(id): \(push.ends)")
            }
            let ends = ledger.values.flatMap(\.ends)
            #expect(ends.count { $0 == .sent } == 2)
            #expect(ends.count { $0 == .merged } == 4)
            for flow in ["hello", "again", "third"] {
                let inside = try await node.records.insiders.list(
                    account: World.account,
                    flow: flow
                )
                #expect(inside.items.isEmpty, "\(flow)")
            }
        }
    }

    @Test(
        "steps that merged when the ones before them were sent have ends when their group is cancelled"
    )
    func leavingLater() async throws {
        try await with(["again"]) { world, node in
            let start = world.clock.now()
            let person = try await world.follower()
            try await world.pass(node, to: start + .seconds(12))
            #expect(world.seen(person).count == 1)
            try await world.simulator.unfollow(world.appID, openID: person)
            try await world.pass(node)
            #expect(world.seen(person).count == 1)
            for (id, push) in try await ledger(node, world, person) {
                #expect(push.planned == 2 && push.ends.count == 2, "\(id): \(push)")
            }
        }
    }

    @Test("merged steps of somebody who leaves while they wait have one end each, too")
    func leaving() async throws {
        try await with(["again"]) { world, node in
            let person = try await world.follower()
            try await world.simulator.unfollow(world.appID, openID: person)
            try await world.pass(node)
            #expect(world.seen(person).isEmpty)
            let ledger = try await ledger(node, world, person)
            #expect(ledger.values.allSatisfy { $0.planned == 1 && $0.ends.count == 1 })
            #expect(Set(ledger.values.flatMap(\.ends)) == [.merged, .unsubscribed])
        }
    }
}
