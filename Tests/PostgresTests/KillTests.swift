import BelfryCore
import BelfryPostgresProcess
import BelfrySimulation
import Synchronization
import Testing

@testable import BelfryPostgres

/// Promises T1 and T5 where the server ends in the middle of everything.
@Suite("A PostgreSQL that is killed under load", .serialized, .postgres)
struct KillTests {
    /// What was acknowledged.
    private struct Heard {
        var accepted: Set<String> = []
        var cancelled: Set<String> = []
        /// Not told how a call ended that named them.
        var unsure: Set<String> = []
    }

    private final class Ledger: Sendable { let heard = Mutex(Heard()) }

    @Test("has kept every push that it accepted, and none that it said was cancelled")
    func keeps() async throws {
        let server = try #require(PostgresServer.current)
        let timeline = try await PostgresTimeline.on(server, schema: freshSchema())
        let ledger = Ledger()
        for round in 0..<4 {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<3 {
                    group.addTask {
                        for step in 0..<40 {
                            await act(timeline, "\(round)/\(worker)/\(step)", ledger)
                        }
                    }
                }
                group.addTask {
                    // Somewhere in the middle of this round's calls.
                    while ledger.heard.withLock({ $0.accepted.count + $0.unsure.count })
                        < round * 600 + 100
                    {
                        await Task.yield()
                    }
                    server.kill()
                    try await server.restart()
                }
                try await group.waitForAll()
            }
        }
        try await judge(timeline, ledger.heard.withLock { $0 })
        await timeline.close()
    }

    /// Schedules five pushes and cancels one of them.
    private func act(_ timeline: PostgresTimeline, _ name: String, _ ledger: Ledger) async {
        let ids = (0..<5).map { "\(name)/\($0)" }
        do {
            try await timeline.schedule(ids.map { push($0) })
            ledger.heard.withLock { $0.accepted.formUnion(ids) }
        } catch { return ledger.heard.withLock { $0.unsure.formUnion(ids) } }
        do {
            let outcome = try await timeline.cancel([PushID(ids[0])])
            #expect(outcome == [.cancelled])
            ledger.heard.withLock { _ = $0.cancelled.insert(ids[0]) }
        } catch { ledger.heard.withLock { _ = $0.unsure.insert(ids[0]) } }
    }

    private func judge(_ timeline: PostgresTimeline, _ heard: Heard) async throws {
        #expect(heard.accepted.count > 1000)
        var claimed: [String] = []
        while case let claims = try await timeline.claim(limit: 500, lease: .minutes(10)).claims,
            !claims.isEmpty
        {
            claimed += claims.map(\.push.id.text)
        }
        #expect(Set(claimed).count == claimed.count, "lent twice")
        let wanted = heard.accepted.subtracting(heard.cancelled).subtracting(heard.unsure)
        #expect(wanted.subtracting(claimed).isEmpty, "lost")
        #expect(heard.cancelled.isDisjoint(with: claimed), "sent after a cancel")
        let known = heard.accepted.union(heard.unsure)
        #expect(Set(claimed).isSubset(of: known))
        #expect(try await timeline.counts().inFlight == claimed.count, "miscounted")
    }

    private func push(_ id: String) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: "o"),
            due: Timestamp(milliseconds: 0),
            channel: "log",
            payload: Array(id.utf8)
        )
    }
}
