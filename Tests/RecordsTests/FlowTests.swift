import BelfryCore
import BelfryRecords
import BelfrySimulation
import Testing

@Suite("Flows and links", .eachDatabase)
struct FlowTests {
    @Test("publishing the same text again makes no new version; another text makes the next one")
    func versions() async throws {
        let fixture = try await Fixture()
        let flows = fixture.records.flows
        let first = try await flows.publish(account: "a", flow: "w", yaml: "one", by: "li")
        #expect(first.version == 1 && first.publishedBy == "li")
        let same = try await flows.publish(account: "a", flow: "w", yaml: "one", by: "wu")
        #expect(same.version == 1)
        let second = try await flows.publish(
            account: "a",
            flow: "w",
            yaml: "two",
            policy: "exit",
            note: "shorter",
            by: "wu"
        )
        #expect(second.version == 2)
        #expect(try await flows.published(account: "a") == [second])
        let history = try await flows.history(account: "a", flow: "w")
        #expect(history.map(\.version) == [2, 1])
        #expect(history.map(\.yaml) == ["two", "one"])
        #expect(try await flows.version(account: "a", flow: "w", 1)?.yaml == "one")
        #expect(try await flows.history(account: "a", flow: "w", before: 2).count == 1)
    }

    @Test(
        "a draft is entered by nobody until it is published; an older version can be published again"
    )
    func drafts() async throws {
        let fixture = try await Fixture()
        let flows = fixture.records.flows
        try await flows.save(account: "a", flow: "w", yaml: "one")
        #expect(try await flows.find(account: "a", flow: "w")?.state == .draft)
        #expect(try await flows.published().isEmpty)
        try await flows.publish(account: "a", flow: "w", version: 1, by: "li")
        try await flows.save(account: "a", flow: "w", yaml: "two")
        #expect(try await flows.published().map(\.version) == [1])
        try await flows.publish(account: "a", flow: "w", version: 2, by: "li")
        try await flows.publish(account: "a", flow: "w", version: 1, by: "li")
        #expect(try await flows.published().map(\.version) == [1])
        #expect(try await flows.find(account: "a", flow: "w")?.newest == 2)
        let error = await failure {
            try await flows.publish(account: "a", flow: "w", version: 9, by: "li")
        }
        #expect(error?.message == "version: w has no version 9")
    }

    @Test("a paused or archived flow is entered by nobody, and can be resumed")
    func states() async throws {
        let fixture = try await Fixture()
        let flows = fixture.records.flows
        try await flows.publish(account: "a", flow: "w", yaml: "one", by: "li")
        try await flows.publish(account: "b", flow: "w", yaml: "one", by: "li")
        #expect(try await flows.setState(account: "a", flow: "w", .paused))
        #expect(try await flows.published().map(\.account) == ["b"])
        #expect(try await flows.setState(account: "a", flow: "w", .published))
        #expect(try await flows.published().map(\.account) == ["a", "b"])
        #expect(try await flows.setState(account: "a", flow: "none", .paused) == false)
        try await flows.save(account: "a", flow: "d", yaml: "one")
        let error = await failure { try await flows.setState(account: "a", flow: "d", .published) }
        #expect(error?.code == .invalid)
        #expect(try await flows.all(account: "a").map(\.flow) == ["d", "w"])
        #expect(try await flows.all().count == 3)
    }

    @Test("a flow larger than the limit is refused")
    func large() async throws {
        let fixture = try await Fixture()
        let error = await failure {
            try await fixture.records.flows.save(
                account: "a",
                flow: "w",
                yaml: String(repeating: "y", count: TextLimits.flow + 1)
            )
        }
        #expect(error?.message.hasPrefix("yaml: ") == true)
    }

    @Test("a tracked link keeps its first target and counts every click")
    func links() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        var link = LinkRecord(
            code: "Zx81",
            url: "https://example.com/?a=1",
            recipient: .anna,
            push: "p",
            flow: "w",
            step: "second",
            created: now
        )
        try await fixture.records.links.create([link])
        link.url = "https://elsewhere.example"
        try await fixture.records.links.create([link])
        fixture.clock.advance(by: .seconds(1))
        _ = try await fixture.records.links.click("Zx81")
        let clicked = try await fixture.records.links.click("Zx81")
        #expect(clicked?.url == "https://example.com/?a=1")
        #expect(clicked?.clicks == 2 && clicked?.lastClick == now + .seconds(1))
        #expect(clicked?.flow == "w" && clicked?.step == "second")
        #expect(try await fixture.records.links.click("none") == nil)
        let long = String(repeating: "c", count: 10_000)
        #expect(try await fixture.records.links.click(long) == nil)
    }
}
