import BelfryCore
import BelfryServer
import BelfrySimulation
import Logging
import Synchronization

/// What the buttons of the console set going.
final class DemoActs: Sendable {
    /// Who comes by on a day that is played again.
    private static let followersADay = 288
    /// How long before a rush it is announced.
    private static let notice = Duration.seconds(5)

    private let demo: LiveDemo
    private let world: DemoWorld
    private let clock: JumpingClock
    private let people: DemoPeople
    private let days: AsyncStream<UInt64>
    private let asked: AsyncStream<UInt64>.Continuation
    private let state = Mutex(State())

    private struct State {
        var isReplaying = false
        /// How many days and rushes there have been.
        var count: UInt64 = 0
    }

    init(_ demo: LiveDemo, world: DemoWorld, clock: JumpingClock, people: DemoPeople) {
        self.demo = demo
        self.world = world
        self.clock = clock
        self.people = people
        (days, asked) = AsyncStream.makeStream()
    }

    func begin(_ act: Demonstration.Act) async throws {
        switch act {
        case .follow: try await people.follow()
        case .day: try beginDay()
        case .rush: try await rush()
        }
    }

    /// Plays the days that are asked for. Ends when cancelled.
    func run() async {
        for await number in days {
            await replay(number)
            state.withLock { $0.isReplaying = false }
        }
    }

    // MARK: A day

    private func beginDay() throws(Problem) {
        let number = state.withLock { state -> UInt64? in
            guard !state.isReplaying else { return nil }
            state.isReplaying = true
            state.count += 1
            return state.count
        }
        guard let number else {
            throw Problem(.conflict, "A day is being replayed; wait until it is over.")
        }
        asked.yield(number)
    }

    private func replay(_ number: UInt64) async {
        let script = DemoScript(
            followers: Self.followersADay,
            accounts: world.accounts.count,
            begins: clock.now(),
            within: .hours(24),
            seed: demo.seed &+ number
        )
        do {
            let stage = DemoStage(world: world, clock: clock)
            let end = clock.now() + .hours(24)
            try await stage.replay(script, until: end, speed: demo.replaySpeed)
        } catch is CancellationError {
            // The demonstration ends.
        } catch {
            demo.logger.warning(
                "the day was not played to its end",
                metadata: ["error": "\(error)"]
            )
        }
    }

    // MARK: A rush

    /// Schedules messages that are all due within one second, a moment from now.
    private func rush() async throws {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        // Ids that an earlier run over the same folder has not used.
        let name = "rush/\(clock.now().milliseconds)-\(number)"
        let second = clock.now() + Self.notice
        for start in stride(from: 0, to: demo.rushMessages, by: PushLimits.batchPushes) {
            let end = min(start + PushLimits.batchPushes, demo.rushMessages)
            let pushes = (start..<end).map { index in
                Push(
                    id: PushID("\(name)/\(index)"),
                    recipient: Recipient(account: DemoWorld.crowd, person: "customer-\(index)"),
                    due: second + .milliseconds(Int64(index) * 1000 / Int64(demo.rushMessages)),
                    channel: "log",
                    payload: Array("your coupon can be had".utf8)
                )
            }
            try await world.node.timeline.schedule(pushes)
        }
    }
}
