import BelfryCore
import BelfryRecords
import BelfrySimulation
import Testing

@Suite("Changes of accounts, flows and topics", .eachDatabase)
struct BookChangeTests {
    private func account(_ key: String) -> AccountRecord {
        AccountRecord(key: key, kind: .webhook)
    }

    @Test("every write is counted in its own transaction; an entry stands at its last change")
    func counted() async throws {
        let records = try await Fixture().records
        let changes = records.bookChanges
        #expect(try await changes.newest() == 0)
        try await records.accounts.save(account("shop"))
        try await records.topics.update("coupon") { _ in
            TopicRecord(topic: "coupon", account: "shop", opening: .seconds(1000), document: "{}")
        }
        #expect(
            try await changes.after(0) == [
                BookChange(book: .accounts, entry: "shop", number: 1),
                BookChange(book: .topics, entry: "coupon", number: 2),
            ]
        )
        // A draft changes nothing that a server holds in memory.
        try await records.flows.save(account: "shop", flow: "hello", yaml: "x")
        #expect(try await changes.newest() == 2)
        try await records.flows.publish(account: "shop", flow: "hello", yaml: "x", by: "li")
        try await records.flows.setState(account: "shop", flow: "hello", .paused)
        #expect(try await changes.after(2).map(\.number) == [4])
        try await records.accounts.pause("shop", reason: "later")
        try await records.accounts.remove("shop")
        #expect(
            try await changes.after(4) == [BookChange(book: .accounts, entry: "shop", number: 6)]
        )
    }

    @Test("a write that fails is not counted")
    func failed() async throws {
        let records = try await Fixture().records
        let error = await failure {
            try await records.topics.update("coupon") { _ throws(RecordsError) in
                throw RecordsError(.invalid, "no")
            }
        }
        #expect(error?.code == .invalid)
        #expect(try await records.bookChanges.newest() == 0)
    }

    @Test(
        "of two writes of a topic in one millisecond, or by a clock behind, the later one is newer"
    )
    func order() async throws {
        let fixture = try await Fixture()
        var times: [Timestamp] = []
        for _ in 0..<3 {
            let written = try await fixture.records.topics.update("coupon") { known in
                known
                    ?? TopicRecord(
                        topic: "coupon",
                        account: "shop",
                        opening: .seconds(1000),
                        document: "{}"
                    )
            }
            times.append(written.updated)
        }
        #expect(times[0] < times[1] && times[1] < times[2])
    }
}
