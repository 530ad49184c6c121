import BelfryCore
import BelfryDelivery
import BelfryJournal
import BelfryRecords
import BelfryServer
import BelfrySimulation
import BelfryTestSupport
import BelfryWeChatSimulator
import Logging
import ServiceLifecycle

/// A whole Belfry on a data folder of its own, and a simulated WeChat beside it, joined by real HTTP.
///
/// The folder and the simulator outlive the servers: ``run(_:)`` again is a restart.
struct World: Sendable {
    static let account = "shop"
    static let sendPath = "/cgi-bin/message/custom/send"

    let clock: any TestClock
    let simulator: WeChatSimulator
    let server: SimulatorServer
    let settings: AccountSettings
    private(set) var configuration = ServerConfiguration()
    private let folder = TemporaryFolder(isMade: false)

    var appID: String { settings.appID }
    var path: String { folder.path }

    /// Greets five seconds after a follow, and once more after fifteen.
    static let hello = """
        key: hello
        name: Hello
        trigger: follow
        time_zone: Asia/Shanghai
        steps:
          - id: hello
            after: 5s
            text: Hello
          - id: again
            after: 10s
            text: Still there?
        """

    /// Greets once, so many seconds after a follow.
    static func greeting(after seconds: Int) -> String {
        """
        key: hello
        name: Hello
        trigger: follow
        time_zone: Asia/Shanghai
        steps:
          - id: hello
            after: \(seconds)s
            text: Hello
        """
    }

    /// Makes a world, hands it over, and takes it down. Unless told otherwise its time stands still but for ``pass(_:to:)``.
    static func with(
        clock: any TestClock = ManualClock(),
        flow: String = World.hello,
        account change: (inout AccountRecord) -> Void = { _ in },
        configure: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (World) async throws -> Void
    ) async throws {
        let simulator = WeChatSimulator(
            clock: SimulatorClock(
                now: { clock.now().milliseconds },
                sleepUntil: { try await clock.sleep(until: Timestamp(milliseconds: $0)) }
            )
        )
        let server = try await simulator.listen()
        do {
            var world = World(clock, simulator, server)
            configure(&world.configuration)
            try await world.introduce(flow, change)
            try await body(world)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private init(
        _ clock: any TestClock,
        _ simulator: WeChatSimulator,
        _ server: SimulatorServer
    ) {
        self.clock = clock
        self.simulator = simulator
        self.server = server
        settings = .sample(Self.account)
        configuration.data.folder = folder.path
        configuration.http.port = 0
        configuration.http.auth = .loopbackOpen
        configuration.http.accessLog = false
        configuration.wechat.timeout = .seconds(3)
    }

    /// Writes the account and its flow into the data folder.
    private func introduce(_ flow: String, _ change: (inout AccountRecord) -> Void)
        async throws
    {
        var account = AccountRecord(key: Self.account, kind: .wechat)
        account.appID = settings.appID
        account.originalID = settings.originalID
        account.secret = Secret(settings.secret)
        account.token = Secret(settings.token)
        account.encodingAESKey = Secret(settings.encodingAESKey)
        account.baseURL = server.baseURL
        account.rate = 1000
        change(&account)
        let node = try await BelfryNode.open(configuration, clock: clock, logger: Self.logger)
        try await node.records.accounts.save(account)
        try await node.records.flows.publish(
            account: Self.account,
            flow: "hello",
            yaml: flow,
            by: "test"
        )
        await node.close()
    }

    /// The same world, its servers' records in another place.
    func keepingRecords(in url: String) -> World {
        var world = self
        world.configuration.records.url = url
        return world
    }

    static var logger: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    // MARK: Running

    /// Runs a server on the folder until `body` returns, then stops it gracefully.
    func run(_ body: (BelfryNode) async throws -> Void) async throws {
        let node = try await BelfryNode.open(
            configuration,
            clock: clock,
            logger: Self.logger,
            seed: 1
        )
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let group = ServiceGroup(
            configuration: .init(
                services: node.services(listening: { port in listening.yield(port) }),
                logger: Self.logger
            )
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { listening.finish() }
                try await group.run()
            }
            var iterator = ports.makeAsyncIterator()
            guard let port = await iterator.next() else {
                try await tasks.next()
                throw NeverHappened(description: "the server listens")
            }
            connect("http://127.0.0.1:\(port)")
            do {
                try await body(node)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Tells the simulator where callbacks go from now on.
    func connect(_ address: String, attempts: Int = 3) {
        var settings = settings
        settings.callbackURL = "\(address)/wechat/\(Self.account)/callback"
        settings.attempts = attempts
        simulator.put(settings)
    }

    /// Lets time pass until nothing is pending and everything is on record, or until the next thing is later than `limit`.
    func pass(_ node: BelfryNode, to limit: Timestamp = .distantFuture) async throws {
        try await eventually("nothing is left to do") {
            // Asked before the rest: a push that is claimed meanwhile must not look like one that waits for its lease.
            let next = try await node.timeline.nextDue()
            if let next, next <= clock.now() { return false }
            let snapshot = node.dispatcher.snapshot()
            let lent = try await node.timeline.counts().inFlight
            guard snapshot.inFlight == 0, snapshot.unrecorded == 0, lent == 0 else { return false }
            guard let next, next <= limit else {
                if limit != .distantFuture { clock.pass(to: limit) }
                return true
            }
            clock.pass(to: next)
            return false
        }
    }

    // MARK: People

    /// Somebody new follows; the callback has been answered.
    func follower() async throws -> String {
        let report = try await simulator.follow(appID)
        guard report.isAnswered else {
            throw NeverHappened(description: "the follow is answered: \(report.outcome)")
        }
        return report.openID
    }

    // MARK: What was seen, and what is on record

    /// The customer-service messages that a person saw, by the simulator's log.
    func seen(_ person: String) -> [Delivery] {
        simulator.deliveries(to: person, of: appID).filter { $0.kind == .custom }
    }

    func recipient(_ person: String) -> Recipient {
        Recipient(account: Self.account, person: person)
    }

    func pushID(_ person: String) -> PushID { PushID("flow/\(Self.account)/hello/\(person)") }

    /// A person's history, oldest first.
    func history(_ node: BelfryNode, _ person: String) async throws -> [DeliveryRecord] {
        try await node.records.deliveries.timeline(recipient(person), limit: 1000).items.reversed()
    }

    /// How a person's pushes ended, oldest first.
    func ends(_ node: BelfryNode, _ person: String) async throws -> [Outcome] {
        try await history(node, person).compactMap {
            if case .ended(let outcome) = $0.state { outcome } else { nil }
        }
    }
}
