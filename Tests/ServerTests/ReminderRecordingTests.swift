import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords
import BelfrySimulation
import Logging
import Testing

@testable import BelfryServer

/// The records say who was told, the book who is being told: whoever asks both must not ask between the two.
@Suite("Writing down who was reminded")
struct ReminderRecordingTests {
    @Test("while somebody looks at a person, a message to that person stays on its way")
    func together() async throws {
        let fixture = try await ServerFixture()
        let (records, now) = (fixture.dependencies.records, fixture.clock.now())
        let person = Recipient(account: "shop", person: "o1")
        let key = ReminderKey(topic: "coupon", person: "o1")
        try await records.reminders.save([
            ReminderRecord(
                topic: "coupon",
                recipient: person,
                state: .subscribed,
                due: now,
                revision: 1,
                since: now
            )
        ])
        let claim = Claim(
            token: ClaimToken(id: key.push, generation: 1),
            push: Push(id: key.push, recipient: person, due: now, channel: "log", payload: []),
            sequence: 1,
            attempt: 0,
            accepted: now,
            leaseEnds: now + .minutes(1)
        )
        let book = ReminderBook()
        book.board([key], with: claim, at: now)
        let recorder = HistoryRecorder(
            accounts: AccountBook(records: records),
            records: records,
            boarding: BoardingBook(),
            reminders: book,
            reports: NoticeReports(records: records, feed: LiveFeed()),
            feed: LiveFeed(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        let sent = DeliveryEvent(
            claim: claim,
            change: .ended(.sent),
            cause: nil,
            channel: "log",
            at: now,
            reservation: .used
        )
        let writing = await book.alone(with: [person]) {
            let writing = Task { try await recorder.record([sent]) }
            for _ in 0..<100 {
                // Enough turns at the database for what must not happen.
                let found = try? await records.reminders.find([key])[key]
                #expect(found?.state == .subscribed && book.isAboard(key, at: now))
            }
            return writing
        }
        try await writing.value
        #expect(try await records.reminders.find([key])[key]?.state == .sent)
        #expect(!book.isAboard(key, at: now))
    }
}
