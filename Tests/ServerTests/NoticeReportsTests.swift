import BelfryCore
import BelfryRecords
import BelfrySimulation
import Testing

@testable import BelfryServer

/// Reports and our own record of the message come by different ways: either may be first.
@Suite("Reports that come early")
struct NoticeReportsTests {
    private let person = Recipient(account: "shop", person: "o1")

    private func report(_ key: String, reference: String?, at now: Timestamp) -> DeliveryReport {
        DeliveryReport(
            key: key,
            at: now,
            recipient: person,
            channel: "template",
            reference: reference,
            outcome: .refused43101,
            cause: SendCause(code: "user_block", message: "the person blocks such messages")
        )
    }

    private func line(_ push: PushID, reference: String, at now: Timestamp) -> DeliveryRecord {
        DeliveryRecord(
            push: push,
            sequence: 1,
            recipient: person,
            channel: "template",
            due: now,
            at: now,
            state: .ended(.sent),
            reference: reference
        )
    }

    @Test("a report that overtakes the record of its message is noted when that is written")
    func early() async throws {
        let fixture = try await ServerFixture()
        let records = fixture.dependencies.records
        let now = fixture.clock.now()
        let reports = NoticeReports(records: records, feed: LiveFeed())
        try await reports.take(report("k", reference: "7", at: now))
        for (push, reference) in [("other", "6"), ("meant", "7")] {
            let lines = [line(PushID(push), reference: reference, at: now)]
            try await records.deliveries.append(lines)
            try await reports.recorded(lines)
        }
        let ends = try await records.deliveries.timeline(person).items
        #expect(ends.map(\.push) == ["meant", "other"])
        #expect(ends.map(\.state) == [.ended(.refused43101), .ended(.sent)])
    }

    @Test("the reports that wait are bounded: the oldest go")
    func bounded() async throws {
        let fixture = try await ServerFixture()
        let records = fixture.dependencies.records
        let now = fixture.clock.now()
        let reports = NoticeReports(records: records, feed: LiveFeed(), waitingLimit: 2)
        for number in 1...3 {
            try await reports.take(report("k\(number)", reference: "\(number)", at: now))
        }
        let lines = (1...3).map { line(PushID("p\($0)"), reference: "\($0)", at: now) }
        try await records.deliveries.append(lines)
        try await reports.recorded(lines)
        let ends = try await records.deliveries.timeline(person).items.sorted { $0.id < $1.id }
        #expect(
            ends.map(\.state) == [.ended(.sent), .ended(.refused43101), .ended(.refused43101)]
        )
    }
}
