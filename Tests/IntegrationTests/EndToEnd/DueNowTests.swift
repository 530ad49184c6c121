import BelfryCore
import BelfryJournal
import BelfryServer
import BelfrySimulation
import BelfryTestSupport
import Testing

@Suite("What is due now")
struct DueNowTests {
    @Test("counts a backlog far larger than delivery holds, whoever holds it")
    func backlog() async throws {
        let folder = TemporaryFolder(isMade: false)
        let clock = ManualClock()
        let timeline = try await JournalTimeline.open(folder: folder.path, clock: clock)
        for batch in 0..<5 {
            try await timeline.schedule(
                (0..<10_000).map { number in
                    Push(
                        id: PushID("\(batch)/\(number)"),
                        recipient: Recipient(account: "a", person: "\(number)"),
                        due: clock.now() + .milliseconds(Int64(number) - 5_000),
                        channel: "log",
                        payload: []
                    )
                }
            )
        }
        func dueNow(_ inFlight: Int, _ putBack: Int) async throws -> Int {
            try await DeliveryReading.dueNow(
                in: timeline,
                inFlight: inFlight,
                putBack: putBack,
                now: clock.now()
            )
        }
        clock.advance(by: .minutes(2))
        #expect(try await dueNow(0, 0) == 50_000)
        let claims = try await timeline.claim(limit: 2_000, lease: .seconds(30)).claims
        #expect(try await dueNow(claims.count, 7) == 50_007)
        _ = try await timeline.settle(claims.map { Settlement(token: $0.token, result: .done) })
        #expect(try await dueNow(0, 0) == 48_000)
        await timeline.close()
    }
}
