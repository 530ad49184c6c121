package import BelfryCore
import BelfryRecords
package import BelfryServer
package import BelfryWeChatSimulator
import FoundationEssentials
package import Logging

/// A whole Belfry against the WeChat simulator: two accounts, three flows, real HTTP between the two.
package struct DemoWorld: Sendable {
    package let node: BelfryNode
    package let simulator: WeChatSimulator
    package let simulatorServer: SimulatorServer
    package let accounts: [DemoAccount]

    /// An account as both sides know it.
    package struct DemoAccount: Sendable {
        package var key: String
        package var settings: AccountSettings
    }

    /// Opens the data folder, starts the simulator, and introduces the two to each other. The node is opened, not yet run.
    package static func open(
        _ configuration: ServerConfiguration,
        clock: any WallClock,
        seed: UInt64,
        enforcement: AccountSettings.Enforcement = .refuse,
        logger: Logger
    ) async throws -> DemoWorld {
        let simulator = WeChatSimulator(
            clock: SimulatorClock(
                now: { clock.now().milliseconds },
                sleepUntil: { try await clock.sleep(until: Timestamp(milliseconds: $0)) }
            ),
            seed: seed
        )
        let server = try await simulator.listen()
        do {
            let node = try await BelfryNode.open(
                configuration,
                clock: clock,
                logger: logger,
                seed: seed
            )
            var accounts: [DemoAccount] = []
            for (key, name, mode) in [
                ("lighthouse", "灯塔咖啡", AccountSettings.Mode.safe),
                ("harbour", "海港书店", AccountSettings.Mode.compat),
            ] {
                var settings = AccountSettings.sample(key)
                settings.mode = mode
                settings.enforcement = enforcement
                simulator.put(settings)
                try await introduce(settings, key: key, name: name, at: server.baseURL, to: node)
                accounts.append(DemoAccount(key: key, settings: settings))
            }
            try await node.records.accounts.save(AccountRecord(key: Self.crowd, kind: .webhook))
            try await node.accounts.reload(Self.crowd)
            return DemoWorld(
                node: node,
                simulator: simulator,
                simulatorServer: server,
                accounts: accounts
            )
        } catch {
            await server.stop()
            throw error
        }
    }

    /// The account of a rush: without a rate.
    static let crowd = "crowd"

    private static func introduce(
        _ settings: AccountSettings,
        key: String,
        name: String,
        at baseURL: String,
        to node: BelfryNode
    ) async throws {
        var account = AccountRecord(key: key, kind: .wechat)
        account.name = name
        account.appID = settings.appID
        account.originalID = settings.originalID
        account.mode = settings.mode == .safe ? .safe : .compat
        account.secret = Secret(settings.secret)
        account.token = Secret(settings.token)
        account.encodingAESKey = Secret(settings.encodingAESKey)
        account.baseURL = baseURL
        account.rate = 1000
        account.concurrency = 64
        try await node.records.accounts.save(account)
        for flow in DemoFlows.all {
            try await node.records.flows.publish(
                account: key,
                flow: flow.key,
                yaml: flow.yaml,
                by: "demo"
            )
        }
        try await node.accounts.reload(key)
    }

    /// Tells the simulator where the node listens: from now on what people do arrives there.
    package func connect(port: Int) {
        for account in accounts {
            var settings = account.settings
            settings.callbackURL = "http://127.0.0.1:\(port)/wechat/\(account.key)/callback"
            simulator.put(settings)
        }
    }
}
