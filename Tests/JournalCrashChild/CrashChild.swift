import BelfryCore
import BelfryJournal
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Lives on one journal folder under load until it is killed, and writes down what it was promised.
///
///     journal-crash-child FOLDER LOG FIRST-SERIAL LANES
///
/// Each line of the log goes out by one `write`, so that it survives the process. Capital letters say that a call begins, small ones that
/// it was answered:
///
///     S id serial due    s id serial          schedule
///     K id               k id outcome         cancel
///     Q number           C id serial due now  claim, and each push that it brought
///     D id serial        d id serial outcome  settle as done
@main
struct CrashChild {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let serial = Int(arguments[3]), let lanes = Int(arguments[4])
        else { fatalError("usage: journal-crash-child FOLDER LOG FIRST-SERIAL LANES") }
        var configuration = JournalConfiguration()
        configuration.lanes = lanes
        // Small, so that many checkpoints, runs and reads from runs fall into the short life.
        configuration.checkpointBytes = 20_000
        configuration.sliceBytes = 8000
        configuration.farWindow = .milliseconds(80)
        configuration.nearWindow = .milliseconds(50)
        configuration.lookAhead = .milliseconds(20)
        configuration.blockBytes = 2000
        configuration.headroomBytes = 100_000
        configuration.reserveStepBytes = 100_000
        let timeline = try await JournalTimeline.open(
            folder: arguments[1],
            configuration: configuration
        )
        let life = CrashLife(timeline, log: CrashLog(arguments[2]), serial: serial)
        try await withThrowingTaskGroup { group in
            for worker in 0..<3 {
                group.addTask { try await life.schedule(worker, seed: UInt64(serial + worker)) }
            }
            group.addTask { try await life.claim(seed: UInt64(serial + 7)) }
            try await group.waitForAll()
        }
    }
}

/// Appends lines to the log.
private struct CrashLog: Sendable {
    private let file: Int32

    init(_ path: String) { file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644) }

    func note(_ text: String) {
        var text = text + "\n"
        let count = text.withUTF8 { write(file, $0.baseAddress, $0.count) }
        precondition(count == text.utf8.count, "the log cannot be written")
    }
}

private final class CrashLife: Sendable {
    private let timeline: JournalTimeline
    private let log: CrashLog
    private let clock = SystemClock()
    private let serial: Atomic<Int>

    init(_ timeline: JournalTimeline, log: CrashLog, serial: Int) {
        self.timeline = timeline
        self.log = log
        self.serial = Atomic(serial)
    }

    /// Schedules, replaces and cancels its own ids, one call after another.
    func schedule(_ worker: Int, seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        while true {
            let id = "w\(worker)-\(Int.random(in: 0..<150, using: &random))"
            if Int.random(in: 0..<4, using: &random) == 0 {
                log.note("K \(id)")
                let outcome = try await timeline.cancel([PushID(id)])[0]
                log.note("k \(id) \(outcome)")
                continue
            }
            var pushes = [push(id, &random)]
            for _ in 0..<Int.random(in: 0..<8, using: &random) {
                let other = "w\(worker)-\(Int.random(in: 0..<150, using: &random))"
                if !pushes.contains(where: { $0.id.text == other }) {
                    pushes.append(push(other, &random))
                }
            }
            log.note(
                pushes.map { "S \($0.id) \(text($0)) \($0.due.milliseconds)" }.joined(
                    separator: "\n"
                )
            )
            try await timeline.schedule(pushes)
            log.note(pushes.map { "s \($0.id) \(text($0))" }.joined(separator: "\n"))
        }
    }

    /// Claims, and settles most of it.
    func claim(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        var number = 0
        while true {
            number += 1
            log.note("Q \(number)")
            let batch = try await timeline.claim(limit: 20, lease: .seconds(30))
            let now = clock.now().milliseconds
            for claim in batch.claims {
                log.note(
                    "C \(claim.push.id) \(text(claim.push)) \(claim.push.due.milliseconds) \(now)"
                )
            }
            for claim in batch.claims {
                switch Int.random(in: 0..<6, using: &random) {
                case 0: continue
                case 1:
                    let again =
                        clock.now() + .milliseconds(Int64.random(in: 0...100, using: &random))
                    let retry = Settlement(token: claim.token, result: .retry(at: again))
                    _ = try await timeline.settle([retry])
                default:
                    log.note("D \(claim.push.id) \(text(claim.push))")
                    let done = Settlement(token: claim.token, result: .done)
                    let outcome = try await timeline.settle([done])[0]
                    log.note("d \(claim.push.id) \(text(claim.push)) \(outcome)")
                }
            }
            if batch.claims.isEmpty { await Task.yield() }
        }
    }

    private func push(_ id: String, _ random: inout SplitMix64) -> Push {
        let number = serial.wrappingAdd(1, ordering: .relaxed).newValue
        let ahead = Int64([20, 200, 3_600_000].randomElement(using: &random) ?? 20)
        return Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: id),
            due: clock.now() + .milliseconds(Int64.random(in: -20...ahead, using: &random)),
            priority: Priority.allCases.randomElement(using: &random) ?? .normal,
            channel: "log",
            payload: Array("\(number)".utf8)
        )
    }

    private func text(_ push: Push) -> String { String(decoding: push.payload, as: UTF8.self) }
}
