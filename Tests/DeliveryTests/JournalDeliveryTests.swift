import BelfryCore
import BelfryDelivery
import BelfryJournal
import Foundation
import Logging
import Synchronization
import Testing

/// The whole way once on the embedded timeline, on the machine's own clock.
@Suite("On the embedded timeline")
struct JournalDeliveryTests {
    private static func quick() -> DispatcherSettings {
        var settings = DispatcherSettings()
        settings.retry.base = .milliseconds(2)
        settings.retry.shortest = .milliseconds(1)
        settings.retry.attempts = 100
        return settings
    }

    /// Answers by a drawn script, counts what it accepted, and says when that is enough.
    private final class FlakyChannel: Channel {
        let name = "log"
        private let state: Mutex<(random: SplitMix64, accepted: [PushID: Int])>
        private let enough: Int
        private let whenEnough: @Sendable () -> Void

        init(seed: UInt64, enough: Int, whenEnough: @escaping @Sendable () -> Void) {
            state = Mutex((SplitMix64(seed: seed), [:]))
            self.enough = enough
            self.whenEnough = whenEnough
        }

        var accepted: [PushID: Int] { state.withLock { $0.accepted } }

        func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
            let (outcomes, count) = state.withLock { state in
                let outcomes = messages.map { message -> SendOutcome in
                    if Int.random(in: 0..<4, using: &state.random) == 0 {
                        return .retry(after: nil, cause: SendCause(code: "http_503", message: ""))
                    }
                    state.accepted[message.id, default: 0] += 1
                    return .sent(reference: nil)
                }
                return (outcomes, state.accepted.count)
            }
            if count >= enough { whenEnough() }
            return outcomes
        }
    }

    private func deliver(
        on timeline: JournalTimeline,
        seed: UInt64,
        until enough: Int
    ) async throws -> [PushID: Int] {
        // The channel stops the dispatcher that it is given to.
        let shared = Shared()
        let channel = FlakyChannel(seed: seed, enough: enough) { shared.call() }
        let dispatcher = Dispatcher(
            timeline: timeline,
            alarm: timeline.alarm,
            clock: SystemClock(),
            channels: [channel],
            recorder: NoRecorder(),
            settings: Self.quick(),
            seed: seed,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        shared.set { dispatcher.stop(within: .seconds(60)) }
        try await dispatcher.run()
        return channel.accepted
    }

    private final class Shared: Sendable {
        private let action = Mutex<(@Sendable () -> Void)?>(nil)
        func set(_ body: @escaping @Sendable () -> Void) { action.withLock { $0 = body } }
        func call() { action.withLock { $0 }?() }
    }

    @Test("what one run leaves the next one delivers, each push once")
    func acrossRuns() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "belfry-delivery-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let count = 3_000
        let first = try await JournalTimeline.open(folder: folder)
        let now = SystemClock().now()
        let pushes = (0..<count).map { number in
            Push(
                id: PushID("push-\(number)"),
                recipient: Recipient(account: "a\(number % 5)", person: "p\(number)"),
                due: now - .milliseconds(Int64(number % 50)),
                channel: "log",
                payload: Array("hello \(number)".utf8)
            )
        }
        let outcomes = try await first.schedule(pushes)
        #expect(outcomes.allSatisfy { $0 == .accepted })
        let early = try await deliver(on: first, seed: 1, until: count / 2)
        await first.close()
        let second = try await JournalTimeline.open(folder: folder)
        let late = try await deliver(on: second, seed: 2, until: count - early.count)
        let all = early.merging(late, uniquingKeysWith: +)
        #expect(all.count == count)
        #expect(all.values.allSatisfy { $0 == 1 })
        let counts = try await second.counts()
        #expect(counts.scheduled + counts.inFlight == 0)
        await second.close()
    }
}
