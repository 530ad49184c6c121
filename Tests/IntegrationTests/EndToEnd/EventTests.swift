import BelfryCore
import BelfryJournal
import BelfryRecords
import BelfryServer
import Testing

/// What business servers report.
@Suite("Reported events")
struct EventTests {
    private static let flow = """
        key: hello
        trigger: api
        variables:
          city: Shanghai
        steps:
          - id: hello
            after: 5s
            text: Hello from {{city}}
        """

    private func report(
        _ node: BelfryNode,
        _ world: World,
        flow: String?,
        _ variables: [String: String] = [:]
    ) async throws -> ReportedAnswer {
        let event = ReportedEvent(
            recipient: world.recipient("somebody"),
            name: "paid",
            flow: flow,
            variables: variables,
            at: world.clock.now()
        )
        return try await event.take(by: node.intake, node.records, node.accounts)
    }

    @Test("a flow that is none, and variables that it does not declare, are refused by name")
    func refused() async throws {
        try await World.with(flow: Self.flow) { world in
            try await world.run { node in
                for (flow, variables, pointer, known) in [
                    ("helo", [:], "/flow", "there are hello"),
                    ("hello", ["town": "x"], "/variables/town", "it declares city"),
                    (nil, ["city": "x"], "/variables", "name it in 'flow'"),
                ] as [(String?, [String: String], String, String)] {
                    let problem = await #expect(throws: Problem.self) {
                        try await report(node, world, flow: flow, variables)
                    }
                    #expect(problem?.fields.map(\.pointer) == [pointer])
                    #expect(problem?.fields.first?.detail.contains(known) == true)
                }
                // What was refused has left nothing: neither a person nor a push.
                #expect(try await node.records.people.find(world.recipient("somebody")) == nil)
                #expect(try await node.timeline.counts().scheduled == 0)
                _ = try await report(node, world, flow: "hello", ["city": "Beijing"])
            }
        }
    }
}
