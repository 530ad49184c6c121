import BelfryCore
import BelfryRecords
import Testing

@Suite("Reports about accepted messages", .eachDatabase)
struct DeliveryReportTests {
    private let t = Timestamp(milliseconds: 1_700_000_000_000)

    private func line(
        _ push: PushID,
        _ outcome: Outcome = .sent,
        at time: Timestamp? = nil,
        reference: String? = nil,
        recipient: Recipient = .anna
    ) -> DeliveryRecord {
        DeliveryRecord(
            push: push,
            sequence: 1,
            recipient: recipient,
            channel: "template",
            due: t,
            at: time ?? t,
            state: .ended(outcome),
            cause: SendCause(code: "fell_back", message: "the window has closed"),
            latenessMilliseconds: 7,
            reference: reference
        )
    }

    private func report(
        _ key: String,
        _ outcome: Outcome = .sent,
        reference: String? = nil,
        standIn: String? = nil,
        at time: Timestamp? = nil
    ) -> DeliveryReport {
        DeliveryReport(
            key: key,
            at: time ?? t,
            recipient: .anna,
            channel: "template",
            reference: reference,
            standIn: standIn,
            outcome: outcome,
            cause: SendCause(
                code: outcome == .sent ? DeliveryReport.delivered : "user_block",
                message: "told"
            )
        )
    }

    private func noted(_ result: ReportResult) throws -> DeliveryRecord {
        guard case .noted(let delivery) = result else {
            throw RecordsError(.invalid, "not noted: \(result)")
        }
        return delivery
    }

    @Test("a failure takes the place of the end that was recorded, in the history and the counters")
    func corrected() async throws {
        let fixture = try await Fixture()
        let deliveries = fixture.records.deliveries
        try await deliveries.append([line("a", reference: "1"), line("b", reference: "2")])
        let after = try noted(
            try await deliveries.note(report("k", .refused43101, reference: "2"))
        )
        #expect(after.push == "b" && after.state == .ended(.refused43101))
        #expect(after.cause.message == "told; the window has closed")
        let history = try await deliveries.timeline(.anna).items
        #expect(history.count == 2)
        #expect(history.first { $0.push == "b" } == after)
        for span in CounterSpan.allCases {
            let total = try await fixture.records.counters.total(
                account: "shop",
                from: t,
                to: t + .minutes(1),
                bucket: span
            )
            #expect(total.sent == 1 && total[.ended(.refused43101)] == 1)
            #expect(total.latenessMilliseconds == 7)
        }
    }

    @Test("a report that is repeated changes nothing, not even another message")
    func repeated() async throws {
        let fixture = try await Fixture()
        let deliveries = fixture.records.deliveries
        try await deliveries.append([line("a", reference: "1"), line("b", reference: "2")])
        #expect(try noted(try await deliveries.note(report("k"))).push == "a")
        #expect(try await deliveries.note(report("k")) == .known)
        #expect(try noted(try await deliveries.note(report("l"))).push == "b")
        #expect(try await deliveries.note(report("m")) == .unmatched)
        #expect(try await deliveries.note(report("n", .dead, reference: "1")) == .known)
    }

    @Test("an id that is not on record is only taken for a message that has none")
    func ids() async throws {
        let fixture = try await Fixture()
        let deliveries = fixture.records.deliveries
        try await deliveries.append([line("a", reference: "1")])
        #expect(try await deliveries.note(report("k", reference: "9")) == .unmatched)
        try await deliveries.append([line("b", .unknown, at: t + .seconds(1))])
        let after = try noted(try await deliveries.note(report("k", reference: "9")))
        #expect(after.push == "b" && after.state == .ended(.sent) && after.reference == "9")
    }

    @Test("a template stands in for the id until one is told; older messages are left alone")
    func standIn() async throws {
        let fixture = try await Fixture()
        let deliveries = fixture.records.deliveries
        try await deliveries.append([
            line("old", at: t - .days(2), reference: "T2"), line("a", reference: "T1"),
            line("b", at: t + .seconds(1), reference: "T2"),
            line("c", at: t + .seconds(2), reference: "T2"),
            line("x", reference: "T2", recipient: .bert),
        ])
        let first = try noted(
            try await deliveries.note(report("k|0", reference: "7", standIn: "T2"))
        )
        #expect(first.push == "b" && first.reference == "7")
        #expect(
            try noted(try await deliveries.note(report("k|1", reference: "8", standIn: "T2"))).push
                == "c"
        )
        #expect(
            try await deliveries.note(report("l", reference: "9", standIn: "T2")) == .unmatched
        )
    }
}
