import BelfryCore
import BelfryRecords
import Foundation
import Testing

@Suite("Who is inside flows", .eachDatabase)
struct InsiderTests {
    private let t = Timestamp(milliseconds: 1_700_000_000_000)

    private func insider(_ recipient: Recipient, _ flow: String = "f", _ seconds: Int64 = 0)
        -> Insider
    {
        Insider(recipient: recipient, flow: flow, due: t + .seconds(seconds))
    }

    private func inside(_ records: Records, _ flow: String = "f") async throws -> [String] {
        try await records.insiders.list(account: "shop", flow: flow).items
            .map(\.recipient.person)
    }

    @Test("a planned step puts in, its end takes out, the end of an older one does not")
    func changes() async throws {
        let fixture = try await Fixture()
        let records = fixture.records
        let (first, second) = (insider(.anna, "f", 0), insider(.anna, "f", 5))
        try await records.insiders.apply([.planned(first), .planned(insider(.bert, "g"))])
        #expect(try await inside(records) == ["oAnna"])
        try await records.insiders.apply([.ended(first), .planned(second)])
        try await records.insiders.apply([.ended(first)])
        #expect(try await inside(records) == ["oAnna"])
        try await records.insiders.forget([second])
        #expect(try await inside(records).isEmpty)
        try await records.insiders.apply([.planned(first), .left(.anna, flow: "f")])
        #expect(try await inside(records).isEmpty)
        #expect(try await inside(records, "g") == ["oBert"])
    }

    @Test("changes are one with the lines that tell of them: all or none")
    func together() async throws {
        let fixture = try await Fixture()
        var line = DeliveryRecord(
            push: "p",
            sequence: 1,
            recipient: .anna,
            flow: "f",
            channel: "wechat",
            due: t,
            at: t,
            state: .waiting(.scheduled)
        )
        let planned = [InsiderChange.planned(insider(.anna))]
        try await fixture.records.deliveries.append([line], insiders: planned)
        #expect(try await inside(fixture.records) == ["oAnna"])
        line.flow = ""
        let error = await failure {
            try await fixture.records.deliveries.append([line], insiders: [.left(.anna, flow: "f")])
        }
        #expect(error?.code == .invalid)
        let thrown = await failure {
            try await fixture.records.ledger.update([], insiders: [.left(.anna, flow: "f")]) {
                _ throws(RecordsError) in throw RecordsError(.conflict, "no")
            }
        }
        #expect(thrown?.code == .conflict)
        #expect(try await inside(fixture.records) == ["oAnna"])
        let long = String(repeating: "f", count: 1000)
        let refused = await failure {
            try await fixture.records.insiders.apply([.left(.anna, flow: long)])
        }
        #expect(refused?.message.hasPrefix("flow: ") == true)
    }

    @Test("pages give each once, and the people of other flows and accounts not at all")
    func pages() async throws {
        let fixture = try await Fixture()
        let people = (100..<150).map { Recipient(account: "shop", person: "o\($0)") }
        let others = [
            Recipient(account: "shop2", person: "o100"), Recipient(account: "sho", person: "o101"),
        ]
        try await fixture.records.insiders.apply(
            people.map { .planned(insider($0)) } + others.map { .planned(insider($0)) }
                + [.planned(insider(.anna, "g"))]
        )
        var seen: [Insider] = []
        var cursor: String?
        repeat {
            let page = try await fixture.records.insiders.list(
                account: "shop",
                flow: "f",
                limit: 7,
                cursor: cursor
            )
            seen += page.items
            cursor = page.next
        } while cursor != nil
        #expect(seen == people.map { insider($0) })
    }

    @Test("erasing a person takes them out of every flow")
    func erase() async throws {
        let fixture = try await Fixture()
        try await fixture.records.insiders.apply([
            .planned(insider(.anna, "f")), .planned(insider(.anna, "g")), .planned(insider(.bert)),
        ])
        #expect(try await fixture.records.people.erase(.anna) == 2)
        #expect(try await inside(fixture.records) == ["oBert"])
        #expect(try await inside(fixture.records, "g").isEmpty)
    }

    @Test("an older file's people are found by the steps that were planned for them")
    func migration() async throws {
        let folder = Fixture.newFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let old = try SQLiteDatabase(path: folder + "/records.sqlite")
        try await old.migrate(Array(Schema.migrations.prefix(5)))
        try await old.write { session throws(RecordsError) in
            for (number, row) in [
                ("oAnna", "'f'", "scheduled"), ("oAnna", "'f'", "scheduled"),
                ("oBert", "'f'", "sent"), ("oCarl", "NULL", "scheduled"),
            ].enumerated() {
                try session.run(
                    """
                    INSERT INTO deliveries (push, sequence, attempt, state, account, person, flow,
                        channel, due, at, code, message, remedy)
                    VALUES ('p', \(number), 0, '\(row.2)', 'shop', '\(row.0)', \(row.1),
                        'wechat', \(number), 0, '', '', '')
                    """,
                    []
                )
            }
        }
        await old.close()
        let records = try await Records.open(
            path: folder + "/records.sqlite",
            clock: Fixture().clock,
            secretKey: Fixture.secretKey
        )
        let found = try await records.insiders.list(account: "shop", flow: "f").items
        #expect(found.map(\.recipient) == [.anna])
        #expect(found.first?.due == Timestamp(milliseconds: 1))
        await records.close()
    }
}
