import BelfryCore
import BelfryRecords
import Testing

@Suite("Delivery history and counters", .eachDatabase)
struct DeliveryTests {
    private let t = Timestamp(milliseconds: 1_700_000_000_000)

    private func line(
        _ push: PushID,
        _ state: DeliveryState,
        at time: Timestamp,
        sequence: UInt64 = 1,
        attempt: Int = 0,
        recipient: Recipient = .anna,
        flow: String? = "welcome",
        lateness: Int? = nil
    ) -> DeliveryRecord {
        DeliveryRecord(
            push: push,
            sequence: sequence,
            attempt: attempt,
            recipient: recipient,
            flow: flow,
            step: flow == nil ? nil : "third",
            channel: "wechat",
            due: t,
            at: time,
            state: state,
            cause: SendCause(code: "45015", message: "window closed", remedy: "wait"),
            latenessMilliseconds: lateness,
            reference: "m1"
        )
    }

    @Test("a person's history comes back whole, newest first")
    func timeline() async throws {
        let fixture = try await Fixture()
        let lines = [
            line("p", .waiting(.scheduled), at: t, sequence: .max),
            line("p", .waiting(.retrying), at: t + .seconds(1), sequence: .max, attempt: 1),
            line("p", .ended(.sent), at: t + .seconds(2), sequence: .max, attempt: 1, lateness: 4),
        ]
        #expect(try await fixture.records.deliveries.append(lines) == 3)
        try await fixture.records.deliveries.append([
            line("q", .ended(.sent), at: t, recipient: .bert)
        ])
        let page = try await fixture.records.deliveries.timeline(.anna)
        let plain = page.items.map { item in
            var item = item
            item.id = 0
            return item
        }
        #expect(plain == lines.reversed())
        #expect(page.next == nil)
    }

    @Test("appending the same lines again changes neither history nor counters")
    func idempotent() async throws {
        let fixture = try await Fixture()
        let lines = (0..<100).map { line(PushID("p\($0)"), .ended(.sent), at: t, lateness: 2) }
        #expect(try await fixture.records.deliveries.append(lines) == 100)
        #expect(try await fixture.records.deliveries.append(lines) == 0)
        #expect(try await fixture.records.deliveries.append(Array(lines[..<5]) + lines) == 0)
        let total = try await fixture.records.counters.total(
            from: t,
            to: t + .hours(1),
            bucket: .hour
        )
        #expect(total.sent == 100 && total.latenessMilliseconds == 200)
    }

    @Test("pages neither skip nor repeat while lines are added and purged")
    func paging() async throws {
        let fixture = try await Fixture()
        let deliveries = fixture.records.deliveries
        // Many share a time, so that only time and id together order them.
        try await deliveries.append(
            (0..<50).map { line(PushID("p\($0)"), .ended(.sent), at: t + .seconds(Int64($0 / 10))) }
        )
        var query = DeliveryQuery()
        query.account = "shop"
        var seen: [String] = []
        var cursor: String?
        repeat {
            let page = try await deliveries.find(query, limit: 7, cursor: cursor)
            seen += page.items.map(\.push.text)
            cursor = page.next
            let fresh = "new\(seen.count)"
            try await deliveries.append([line(PushID(fresh), .ended(.sent), at: t + .seconds(60))])
        } while cursor != nil
        #expect(Set(seen) == Set((0..<50).map { "p\($0)" }))
        #expect(seen.count == 50)
    }

    @Test("queries narrow by account, flow, state, push and time")
    func queries() async throws {
        let fixture = try await Fixture()
        let other = Recipient(account: "other", person: "o1")
        try await fixture.records.deliveries.append([
            line("a", .ended(.sent), at: t), line("b", .ended(.noGrant), at: t + .seconds(1)),
            line("c", .ended(.sent), at: t + .seconds(2), flow: "other-flow"),
            line("d", .waiting(.heldQuiet), at: t + .seconds(3), recipient: other, flow: nil),
        ])
        let cases: [(change: (inout DeliveryQuery) -> Void, found: [String])] = [
            ({ _ in }, ["d", "c", "b", "a"]),
            ({ $0.account = "shop" }, ["c", "b", "a"]),
            ({ ($0.account, $0.flow) = ("shop", "welcome") }, ["b", "a"]),
            ({ ($0.account, $0.state) = ("shop", .ended(.sent)) }, ["c", "a"]),
            ({ $0.state = .waiting(.heldQuiet) }, ["d"]),
            ({ $0.push = "b" }, ["b"]),
            ({ ($0.from, $0.to) = (t + .seconds(1), t + .seconds(3)) }, ["c", "b"]),
        ]
        for (change, expected) in cases {
            var query = DeliveryQuery()
            change(&query)
            let found = try await fixture.records.deliveries.find(query).items.map(\.push.text)
            #expect(found == expected)
        }
    }

    @Test("an overlong message of another server is cut, so that the outcome is not lost")
    func longCause() async throws {
        let fixture = try await Fixture()
        var delivery = line("p", .ended(.dead), at: t)
        delivery.cause.message = String(repeating: "错", count: 10_000) + "\0"
        try await fixture.records.deliveries.append([delivery])
        let found = try await fixture.records.deliveries.timeline(.anna).items.first
        #expect(found?.cause.message == String(repeating: "错", count: 341))
        delivery.push = PushID(String(repeating: "p", count: 10_000))
        let wrong = delivery
        let error = await failure { try await fixture.records.deliveries.append([wrong]) }
        #expect(error?.code == .invalid)
    }

    @Test("counters split by account, by minute and by hour, and sum over all accounts")
    func counters() async throws {
        let fixture = try await Fixture()
        let hour = CounterSpan.hour.start(of: t)
        let other = Recipient(account: "other", person: "o1")
        try await fixture.records.deliveries.append([
            line("a", .waiting(.scheduled), at: hour), line("a", .ended(.sent), at: hour),
            line("b", .ended(.dead), at: hour + .minutes(1)),
            line("c", .ended(.sent), at: hour + .minutes(61), recipient: other),
        ])
        let counters = fixture.records.counters
        let minutes = try await counters.stats(
            account: "shop",
            from: hour,
            to: hour + .hours(2),
            bucket: .minute
        )
        #expect(minutes.map(\.start) == [hour, hour + .minutes(1)])
        #expect(minutes[0].planned == 1 && minutes[0].sent == 1 && minutes[0].failures == 0)
        #expect(minutes[1].failures == 1 && minutes[1][.ended(.dead)] == 1)
        let all = try await counters.stats(from: hour, to: hour + .hours(2), bucket: .hour)
        #expect(all.map(\.start) == [hour, hour + .hours(1)])
        #expect(all.map(\.sent) == [1, 1])
        let total = try await counters.total(from: hour, to: hour + .hours(2), bucket: .hour)
        #expect(total.sent == 2)
        let error = await failure {
            _ = try await counters.stats(from: t, to: t + .days(365), bucket: .minute)
        }
        #expect(error?.code == .invalid)
    }
}
