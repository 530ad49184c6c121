import BelfryCore
package import BelfryServer
import BelfrySimulation
import BelfryWeChatSimulator
import FoundationEssentials
package import Logging
import Synchronization

/// The demonstration that keeps running: somebody follows every few seconds, writes, leaves, on the real clock. In a new folder it begins with
/// some days of history, played by the same people and programs on a clock that jumps.
package struct LiveDemo: Sendable {
    package var configuration: ServerConfiguration
    package var seed: UInt64
    package var logger: Logger
    /// The time between two follows.
    package var pace = Duration.seconds(3)
    /// How far the history of a new folder reaches back.
    package var history = Duration.days(6)
    /// How many people follow in that time.
    package var pastFollowers = 120
    /// How many messages of a rush are due in one second.
    package var rushMessages = 200_000
    /// How much faster than the clock a day is played again.
    package var replaySpeed: Int64 = 60

    package init(configuration: ServerConfiguration, seed: UInt64, logger: Logger) {
        self.configuration = configuration
        self.seed = seed
        self.logger = logger
    }

    private var hasFolder: Bool {
        FileManager.default.fileExists(atPath: configuration.data.folder)
    }

    /// Plays what happened before the demonstration began.
    private func play(_ past: Duration, in world: DemoWorld, _ clock: JumpingClock) async {
        let begins = clock.now()
        let script = DemoScript(
            followers: pastFollowers,
            accounts: world.accounts.count,
            begins: begins + .seconds(1),
            within: past - .hours(1),
            seed: seed
        )
        do {
            try await DemoStage(world: world, clock: clock).perform(script, until: begins + past)
        } catch {
            logger.warning("the history was not played", metadata: ["error": "\(error)"])
        }
    }

    /// Runs until a signal asks to stop.
    ///
    /// - Parameter ready: called once with the addresses of the console and of the simulator.
    package func run(
        ready: @escaping @Sendable (_ console: String, _ simulator: String) -> Void
    ) async throws {
        let present = SystemClock()
        // A folder that was used before has a history, and its clock cannot be turned back.
        let past = hasFolder ? Duration.zero : history
        let clock = JumpingClock(start: present.now() - past)
        let world = try await DemoWorld.open(
            configuration,
            clock: clock,
            seed: seed,
            logger: logger
        )
        let people = DemoPeople(world: world, seed: seed)
        let acts = DemoActs(self, world: world, clock: clock, people: people)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    defer { listening.finish() }
                    try await world.node.run(
                        demonstration: Demonstration { try await acts.begin($0) },
                        // The server answers nobody before this returns.
                        listening: { port in listening.yield(port) }
                    )
                }
                group.addTask {
                    guard let port = await ports.first(where: { _ in true }) else { return }
                    world.connect(port: port)
                    if past > .zero { await play(past, in: world, clock) }
                    clock.jump(to: present.now())
                    ready(configuration.publicURL(port: port), world.simulatorServer.baseURL)
                    do { try await people.live(pace: pace) } catch is CancellationError {}
                }
                group.addTask { await acts.run() }
                // The node ends by a signal; the people go with it.
                try await group.next()
                group.cancelAll()
                try await group.waitForAll()
            }
        } catch {
            await world.simulatorServer.stop()
            throw error
        }
        await world.simulatorServer.stop()
    }
}

/// The people of the running demonstration.
final class DemoPeople: Sendable {
    private let world: DemoWorld
    private let random: Mutex<SplitMix64>

    init(world: DemoWorld, seed: UInt64) {
        self.world = world
        random = Mutex(SplitMix64(seed: seed))
    }

    /// Somebody follows every `pace`, and lives on. Ends when cancelled.
    func live(pace: Duration) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while !Task.isCancelled {
                group.addTask { try await self.followAndLive() }
                try await Task.sleep(for: pace)
            }
        }
    }

    /// Somebody follows now.
    func follow() async throws { _ = try await arrive() }

    private func followAndLive() async throws {
        let (account, openID) = try await arrive()
        let (writes, leaves) = random.withLock {
            (Int.random(in: 0..<100, using: &$0), Int.random(in: 0..<100, using: &$0))
        }
        if writes < 50 {
            try await Task.sleep(for: .seconds(9 + writes / 5))
            let text = writes < 20 ? "我想学习" : "1"
            try await world.simulator.say(text, by: openID, to: account.settings.appID)
        }
        if leaves < 20 {
            try await Task.sleep(for: .seconds(3 + leaves))
            try await world.simulator.unfollow(account.settings.appID, openID: openID)
        }
    }

    private func arrive() async throws -> (DemoWorld.DemoAccount, String) {
        let (account, scene) = random.withLock { random in
            (
                world.accounts[Int.random(in: 0..<world.accounts.count, using: &random)],
                Int.random(in: 0..<5, using: &random) == 0 ? "spring-01" : nil
            )
        }
        let report = try await world.simulator.follow(account.settings.appID, scene: scene)
        return (account, report.openID)
    }
}
