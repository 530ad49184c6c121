import BelfryActivation
import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import Hummingbird
import Testing

/// Whom a publication touches, and what it costs to find them.
@Suite("Publishing a live flow")
struct FlowPublishingTests {
    private static func yaml(after delay: String) -> String {
        """
        key: hello
        trigger: api
        steps:
          - id: first
            after: \(delay)
            text: Hello
        """
    }

    /// An account of which many are known, a few inside the flow, one no more, and one inside another flow.
    private func fixture(inside: Int) async throws -> ServerFixture {
        let fixture = try await ServerFixture()
        let records = fixture.dependencies.records
        let now = fixture.clock.now()
        try await records.accounts.save(AccountRecord(key: "shop", kind: .webhook))
        for flow in ["hello", "other"] {
            try await records.flows.publish(
                account: "shop",
                flow: flow,
                yaml: Self.yaml(after: "2h").replacing("hello", with: flow),
                by: "me"
            )
        }
        try await fixture.dependencies.accounts.reload("shop")
        let people = (0..<200).map { Recipient(account: "shop", person: "o\($0)") }
        for person in people { try await records.people.update(person) { _ in } }
        func push(_ person: Recipient, _ flow: String, in delay: Duration) -> Push {
            let position = FlowPosition(
                flow: flow,
                version: 1,
                step: "first",
                started: now,
                anchor: now,
                due: now + delay
            )
            return Push(
                id: FlowPlanner.id(account: "shop", flow: flow, person: person.person),
                recipient: person,
                due: now + delay,
                channel: "webhook",
                payload: position.payload
            )
        }
        try await fixture.timeline.schedule(
            people.prefix(inside).map { push($0, "hello", in: .hours(2)) }
                + [push(people[150], "other", in: .hours(2))]
        )
        let gone = Insider(recipient: people[160], flow: "hello", due: now - .hours(1))
        let soon = Insider(recipient: people[161], flow: "hello", due: now)
        try await records.insiders.apply(
            people.prefix(inside).map {
                .planned(Insider(recipient: $0, flow: "hello", due: now + .hours(2)))
            } + [
                .planned(Insider(recipient: people[150], flow: "other", due: now)),
                .planned(gone), .planned(soon),
            ]
        )
        return fixture
    }

    private func publish(_ fixture: ServerFixture, _ delay: String, isDryRun: Bool) async throws
        -> Answer
    {
        let body: JSONValue = [
            "yaml": .string(Self.yaml(after: delay)), "policy": "follow-live",
            "dry_run": .bool(isDryRun),
        ]
        return try await fixture.admin(
            .post,
            "/v1/accounts/shop/flows/hello/publish",
            String(decoding: body.bytes, as: UTF8.self)
        )
    }

    @Test("the plan counts who is inside, and looks at nobody else")
    func plan() async throws {
        let fixture = try await fixture(inside: 3)
        let before = fixture.timeline.asked
        let answer = try await publish(fixture, "1h", isDryRun: true)
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json["inside"]?.integer == 3)
        #expect(answer.json["moving"]?.integer == 3)
        // The three, one who is gone, and one whose step may be on its way into the timeline.
        #expect(fixture.timeline.asked - before == 5)
        // Who was found to be gone is forgotten; the other one is not yet surely so.
        let left = try await fixture.dependencies.records.insiders.list(
            account: "shop",
            flow: "hello"
        )
        #expect(left.items.map(\.recipient.person) == ["o0", "o1", "o161", "o2"])
    }

    @Test("following the live version moves who is inside, and asks for nobody else")
    func move() async throws {
        let fixture = try await fixture(inside: 4)
        let before = fixture.timeline.asked
        let answer = try await publish(fixture, "1h", isDryRun: false)
        #expect(answer.json["moved"]?.integer == 4, "\(answer.text)")
        #expect(fixture.timeline.asked - before == 6 + 5)
        let due = fixture.clock.now() + .hours(1)
        for number in 0..<4 {
            let id = FlowPlanner.id(account: "shop", flow: "hello", person: "o\(number)")
            #expect(fixture.timeline.pushes[id]?.due == due)
        }
        // The index names the moved steps, so that their ends take people out.
        let inside = try await fixture.dependencies.records.insiders.list(
            account: "shop",
            flow: "hello"
        ).items
        #expect(inside.filter { $0.due == due }.count == 4)
    }
}
