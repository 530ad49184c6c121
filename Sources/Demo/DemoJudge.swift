import BelfryCore
import BelfryRecords
import BelfryServer
import BelfryWeChatSimulator

/// What a scene came to.
package struct DemoSummary: Sendable, Codable {
    /// Follows, second ones of the same person included.
    package var followers: Int
    /// Pushes that flows scheduled.
    package var planned: Int
    /// What became of them, by reason.
    package var outcomes: [String: Int]
    /// Planned pushes without an end, and messages that we count as sent and that nobody saw.
    package var lost: Int
    /// Messages that people saw before they were due.
    package var early: Int
    /// Messages that people saw twice within one follow, by the simulator's log.
    package var duplicated: Int
    /// Messages that people saw although no window was open by the simulator's own table.
    package var sentWithoutPermission: Int
    /// From due to seen, in milliseconds, by the simulator's log.
    package var lateness: Lateness

    package struct Lateness: Sendable, Codable {
        package var p50: Int64
        package var p99: Int64
        package var max: Int64
    }

    /// Whether every promise was kept.
    package var isClean: Bool {
        lost == 0 && early == 0 && duplicated == 0 && sentWithoutPermission == 0
    }
}

/// Holds our own records against what the simulator's log says that people really saw.
struct DemoJudge {
    let world: DemoWorld
    let script: DemoScript

    func summary() async throws -> DemoSummary {
        let history = try await readHistory()
        let judged = world.simulator.summary
        var outcomes: [String: Int] = [:]
        var planned = 0
        for record in history {
            switch record.state {
            case .waiting(.scheduled): planned += 1
            case .waiting: break
            case .ended(let outcome): outcomes[outcome.rawValue, default: 0] += 1
            }
        }
        let matched = match(history)
        let ended = outcomes.values.reduce(0, +)
        let late = matched.lateness.sorted()
        return DemoSummary(
            followers: script.follows,
            planned: planned,
            outcomes: outcomes,
            lost: abs(planned - ended) + matched.unseen,
            early: late.count { $0 < 0 },
            duplicated: judged.duplicated + matched.unexpected,
            sentWithoutPermission: judged.sentWithoutPermission,
            lateness: .init(
                p50: percentile(late, 50),
                p99: percentile(late, 99),
                max: late.last ?? 0
            )
        )
    }

    private func readHistory() async throws -> [DeliveryRecord] {
        var history: [DeliveryRecord] = []
        var cursor: String?
        repeat {
            let page = try await world.node.records.deliveries.find(
                DeliveryQuery(),
                limit: 1000,
                cursor: cursor
            )
            history += page.items
            cursor = page.next
        } while cursor != nil
        return history
    }

    /// The messages that we say were sent and those that a person saw, one by one in order of time.
    private func match(_ history: [DeliveryRecord])
        -> (lateness: [Int64], unseen: Int, unexpected: Int)
    {
        let appIDs = Dictionary(
            world.accounts.map { ($0.settings.appID, $0.key) },
            uniquingKeysWith: { a, _ in a }
        )
        var seen: [Recipient: [Int64]] = [:]
        for delivery in world.simulator.deliveries() where delivery.kind == .custom {
            guard let account = appIDs[delivery.appID] else { continue }
            seen[Recipient(account: account, person: delivery.openID), default: []]
                .append(delivery.time)
        }
        var sent: [Recipient: [Timestamp]] = [:]
        for record in history where record.state == .ended(.sent) {
            sent[record.recipient, default: []].append(record.due)
        }
        var lateness: [Int64] = []
        var unseen = 0
        var unexpected = 0
        for recipient in Set(seen.keys).union(sent.keys) {
            let times = (seen[recipient] ?? []).sorted()
            let dues = (sent[recipient] ?? []).sorted()
            unseen += max(0, dues.count - times.count)
            unexpected += max(0, times.count - dues.count)
            lateness += zip(times, dues).map { $0 - $1.milliseconds }
        }
        return (lateness, unseen, unexpected)
    }

    private func percentile(_ sorted: [Int64], _ percent: Int) -> Int64 {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * percent / 100)]
    }
}
