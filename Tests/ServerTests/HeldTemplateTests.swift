import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords
import BelfrySimulation
import Logging
import Testing

@testable import BelfryServer

@Suite("A template message that may have been accepted")
struct HeldTemplateTests {
    @Test("is still known as such after it was held: by a pause, or because nobody answers")
    func held() async throws {
        let fixture = try await ServerFixture()
        let (records, now) = (fixture.dependencies.records, fixture.clock.now())
        try await records.accounts.save(AccountRecord(key: "shop", kind: .wechat))
        let accounts = AccountBook(records: records)
        try await accounts.reload("shop")
        let push = Push(
            id: "notice",
            recipient: Recipient(account: "shop", person: "o1"),
            due: now,
            channel: "template",
            payload: []
        )
        let claim = Claim(
            token: ClaimToken(id: push.id, generation: 1),
            push: push,
            sequence: 1,
            attempt: 1,
            accepted: now,
            leaseEnds: now + .minutes(1)
        )
        let key = ReservationKey(claim)
        let first = now - .minutes(3)
        try await records.ledger.update([key]) { ledger throws(RecordsError) in
            var reservation = Reservation.template(at: now)
            reservation.granted = first
            ledger[reservation: key] = reservation
        }
        let recorder = HistoryRecorder(
            accounts: accounts,
            records: records,
            boarding: BoardingBook(),
            reminders: ReminderBook(),
            reports: NoticeReports(records: records, feed: LiveFeed()),
            feed: LiveFeed(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        func record(_ change: DeliveryEvent.Change, at time: Timestamp) async throws -> Timestamp? {
            let event = DeliveryEvent(
                claim: claim,
                change: change,
                cause: nil,
                channel: "template",
                at: time,
                reservation: .released
            )
            try await recorder.record([event])
            return try await records.ledger.update([key]) { ledger throws(RecordsError) in
                ledger[reservation: key]?.granted
            }
        }
        #expect(try await record(.waits(.heldPaused, until: now + .minutes(1)), at: now) == first)
        #expect(try await record(.ended(.cancelled), at: now + .seconds(1)) == nil)
    }
}
