import BelfryCore
import BelfryDelivery
import BelfryJournal
import BelfryServer
import BelfrySimulation
import BelfryWeChatSimulator
import FoundationEssentials
package import Logging
import ServiceLifecycle

/// A bounded scene: people follow, write, tap and leave over days of virtual time, until nothing is pending. Then the judge counts.
package struct DemoScene: Sendable {
    package var followers: Int
    package var seed: UInt64
    /// Where the data folder is made, and removed afterwards.
    package var folder: String
    package var logger: Logger
    /// Followers a second of the clock.
    package var rate = 200

    package init(followers: Int, seed: UInt64, folder: String, logger: Logger) {
        self.followers = followers
        self.seed = seed
        self.folder = folder
        self.logger = logger
    }

    /// Plays the scene. Between two events the clock jumps; while something is under way it runs, so lateness is real.
    package func play() async throws -> DemoSummary {
        // Friday, 20 November 2026, 10:00 in Shanghai: the scene is the same whenever it is played.
        let clock = JumpingClock(start: Timestamp(milliseconds: 1_795_140_000_000))
        var configuration = ServerConfiguration()
        configuration.data.folder = folder
        configuration.http.port = 0
        configuration.http.auth = .loopbackOpen
        configuration.http.accessLog = false
        defer { removeFolder() }
        let world = try await DemoWorld.open(
            configuration,
            clock: clock,
            seed: seed,
            enforcement: .record,
            logger: logger
        )
        let script = DemoScript(
            followers: followers,
            accounts: world.accounts.count,
            begins: clock.now() + .seconds(1),
            within: .milliseconds(Int64(followers) * 1000 / Int64(rate)),
            seed: seed
        )
        do {
            let summary = try await run(world, script, clock)
            await world.simulatorServer.stop()
            return summary
        } catch {
            await world.simulatorServer.stop()
            throw error
        }
    }

    private func run(_ world: DemoWorld, _ script: DemoScript, _ clock: JumpingClock)
        async throws -> DemoSummary
    {
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let group = ServiceGroup(
            configuration: .init(
                services: world.node.services(listening: { port in listening.yield(port) }),
                logger: logger
            )
        )
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { listening.finish() }
                try await group.run()
            }
            var iterator = ports.makeAsyncIterator()
            guard let port = await iterator.next() else {
                try await tasks.next()
                throw CancellationError()
            }
            world.connect(port: port)
            try await DemoStage(world: world, clock: clock).perform(script)
            let summary = try await DemoJudge(world: world, script: script).summary()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return summary
        }
    }

    private func removeFolder() {
        do { try FileManager.default.removeItem(atPath: folder) } catch {
            logger.warning("the scene's folder was left behind", metadata: ["folder": "\(folder)"])
        }
    }
}
