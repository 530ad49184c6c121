import BelfryCore
import BelfryRecords
import Testing

@Suite("People", .eachDatabase)
struct PeopleTests {
    private let t = Timestamp(milliseconds: 1_700_000_000_000)

    @Test(
        "an older unsubscribe that arrives later does not end a newer subscription, whatever the order"
    )
    func order() {
        let events: [(PersonChange, Timestamp)] = [
            (.followed(scene: nil), t), (.unsubscribed, t + .seconds(10)),
            (.followed(scene: "poster"), t + .seconds(20)),
        ]
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
        for order in orders {
            var person = PersonRecord(recipient: .anna, created: t)
            for index in order { _ = person.apply(events[index].0, at: events[index].1) }
            #expect(person.subscribed, "\(order)")
            #expect(person.scene == "poster" && person.followedAt == t + .seconds(20))
            #expect(person.lastEventAt == t + .seconds(20))
        }
    }

    @Test("with equal times, a second being their resolution, the later arrival wins")
    func ties() {
        var person = PersonRecord(recipient: .anna, created: t)
        let counted = [
            person.apply(.followed(scene: nil), at: t), person.apply(.unsubscribed, at: t),
            person.apply(.followed(scene: nil), at: t - .seconds(1)),
        ]
        #expect(counted == [true, true, false])
        #expect(!person.subscribed)
    }

    @Test("everything about a person comes back as it was written, also after reopening")
    func roundTrip() async throws {
        let fixture = try await Fixture()
        let saved = try await fixture.records.people.update(.anna) { person in
            person.nickname = "安娜 🌸"
            person.tags = ["vip", "新"]
            person.attributes = ["city": "杭州", "quote": "\"a\"/b\\"]
            person.scene = "s1"
            person.lastMessageAt = t
            person.grants = [
                .follow(at: t),
                Grant(
                    source: "message",
                    granted: t,
                    expires: t + .days(2),
                    quota: nil,
                    used: 7,
                    rule: "r"
                ),
            ]
            person.uses = [
                GrantUse(time: t, taken: []),
                GrantUse(
                    time: t + .seconds(1),
                    taken: person.grants.reversed().map(\.key),
                    ends: t + .minutes(1)
                ),
            ]
        }
        #expect(try await fixture.records.people.find(.anna) == saved)
        await fixture.records.close()
        let again = try await fixture.reopen()
        #expect(try await again.people.find(.anna) == saved)
        #expect(try await again.people.find(.bert) == nil)
        await again.close()
    }

    @Test("a person may hold many grants, more than a byte counts, and all come back")
    func manyGrants() async throws {
        let fixture = try await Fixture()
        let grants = (0..<600).map { Grant.follow(at: t + .seconds(Int64($0)), used: $0 % 4) }
        try await fixture.records.people.update(.anna) { $0.grants = grants }
        #expect(try await fixture.records.people.find(.anna)?.grants == grants)
        let error = await failure {
            try await fixture.records.people.update(.anna) { $0.grants = grants + grants }
        }
        #expect(error?.message == "grants: at most 1000 allowed")
    }

    @Test("grants that an earlier version wrote, without their uses, are read")
    func formOne() async throws {
        let fixture = try await Fixture()
        let saved = try await fixture.records.people.update(.anna) { person in
            person.grants = [.follow(at: t, used: 2)]
        }
        await fixture.records.close()
        var bytes: [UInt8] = [1, 1, 0, 6] + Array("follow".utf8)
        for value in [t.milliseconds, t.milliseconds + 60_000, 3, 2] {
            withUnsafeBytes(of: value.littleEndian) { bytes += Array($0) }
        }
        bytes += [11] + Array("wechat-2023".utf8)
        let old = bytes
        let database = try fixture.database()
        try await database.write { session throws(RecordsError) in
            _ = try session.run("UPDATE people SET grants = ?", [.blob(old)])
        }
        await database.close()
        let again = try await fixture.reopen()
        #expect(try await again.people.find(.anna) == saved)
        await again.close()
    }

    @Test("pages through an account's people by prefix, each once")
    func list() async throws {
        let fixture = try await Fixture()
        for n in 10..<35 {
            try await fixture.records.people.update(
                Recipient(account: "shop", person: "o\(n)")
            ) { _ in }
        }
        try await fixture.records.people.update(Recipient(account: "other", person: "o11")) { _ in }
        var seen: [String] = []
        var cursor: String?
        repeat {
            let page = try await fixture.records.people.list(
                account: "shop",
                prefix: "o1",
                limit: 4,
                cursor: cursor
            )
            seen += page.items.map(\.recipient.person)
            cursor = page.next
        } while cursor != nil
        #expect(seen == (10..<20).map { "o\($0)" })
    }

    @Test("erasing leaves nothing that names the person, and others untouched")
    func erase() async throws {
        let fixture = try await Fixture()
        let records = fixture.records
        for person in [Recipient.anna, .bert] {
            try await records.people.update(person) { $0.nickname = "N" }
            try await records.deliveries.append([
                DeliveryRecord(
                    push: PushID("p/\(person.person)"),
                    sequence: 1,
                    recipient: person,
                    channel: "wechat",
                    due: t,
                    at: t,
                    state: .ended(.sent)
                )
            ])
            try await records.links.create([
                LinkRecord(
                    code: person.person,
                    url: "https://e.cn",
                    recipient: person,
                    push: "p",
                    created: t
                )
            ])
        }
        #expect(try await records.people.erase(.anna) == 3)
        #expect(try await records.people.find(.anna) == nil)
        #expect(try await records.deliveries.timeline(.anna).items.isEmpty)
        #expect(try await records.links.find("oAnna") == nil)
        #expect(try await records.people.find(.bert) != nil)
        #expect(try await records.deliveries.timeline(.bert).items.count == 1)
    }

    @Test(
        "refuses ids of 10 kB, empty ids and U+0000, and says which field",
        arguments: ["", String(repeating: "o", count: 10_000), "o\0"]
    )
    func hostile(id: String) async throws {
        let fixture = try await Fixture()
        let error = await failure {
            try await fixture.records.people.update(Recipient(account: "a", person: id)) { _ in }
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.hasPrefix("person: ") == true)
        let long = await failure {
            try await fixture.records.people.update(.anna) { $0.nickname = id + "\0" }
        }
        #expect(long?.code == .invalid)
        #expect(try await fixture.records.people.find(.anna) == nil)
    }

    @Test("refuses bytes that are not UTF-8, and cursors that it did not give out")
    func invalidText() async throws {
        #expect(throws: RecordsError(.invalid, "person: is not valid UTF-8")) {
            try TextLimits.text(utf8: [0x6F, 0xC3, 0x28], "person", 1...128)
        }
        let fixture = try await Fixture()
        let long = String(repeating: "A", count: 5000)
        // The last is base64 of "1;0;0;" and a byte that is no UTF-8.
        for cursor in ["", "***", "MTsw", "MjswOzA7", long, "MTswOzA7/w"] {
            let error = await failure {
                _ = try await fixture.records.people.list(account: "shop", cursor: cursor)
            }
            #expect(error?.code == .invalid, "\(cursor.prefix(20))")
        }
    }
}
