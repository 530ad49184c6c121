import BelfryCore
package import BelfryServer
import BelfryWeChatSimulator
package import Logging
import Synchronization

/// The demonstration that keeps running: somebody follows every few seconds, writes, leaves, on the real clock.
package struct LiveDemo: Sendable {
    package var configuration: ServerConfiguration
    package var seed: UInt64
    package var logger: Logger
    /// The time between two follows.
    package var pace = Duration.seconds(3)

    package init(configuration: ServerConfiguration, seed: UInt64, logger: Logger) {
        self.configuration = configuration
        self.seed = seed
        self.logger = logger
    }

    /// Runs until a signal asks to stop.
    ///
    /// - Parameter ready: called once with the addresses of the console and of the simulator.
    package func run(
        ready: @escaping @Sendable (_ console: String, _ simulator: String) -> Void
    ) async throws {
        let world = try await DemoWorld.open(
            configuration,
            clock: SystemClock(),
            seed: seed,
            logger: logger
        )
        let people = DemoPeople(world: world, seed: seed)
        let configuration = configuration
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await world.node.run(
                        simulateFollow: { try await people.follow() },
                        listening: { port in
                            world.connect(port: port)
                            ready(
                                configuration.publicURL(port: port),
                                world.simulatorServer.baseURL
                            )
                            people.begin()
                        }
                    )
                }
                group.addTask {
                    do { try await people.live(pace: pace) } catch is CancellationError {}
                }
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
    private let (started, start) = AsyncStream.makeStream(of: Void.self)

    init(world: DemoWorld, seed: UInt64) {
        self.world = world
        random = Mutex(SplitMix64(seed: seed))
    }

    func begin() { start.finish() }

    /// Somebody follows every `pace`, and lives on. Ends when cancelled.
    func live(pace: Duration) async throws {
        for await _ in started {}
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
