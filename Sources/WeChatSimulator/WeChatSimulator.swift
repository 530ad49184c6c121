import Synchronization

/// An honest stand-in for the WeChat API: what people do becomes signed and encrypted callbacks, what is sent to them
/// is judged by WeChat's rules, and a log says what they really saw.
///
/// It is the judge of what sends to it, and so shares no code with it.
package final class WeChatSimulator: Sendable {
    package let clock: SimulatorClock
    let wire: CallbackWire
    private let world: Mutex<World>

    /// - Parameters:
    ///   - seed: of ids, tokens and faults by probability.
    ///   - logCapacity: how many deliveries, and how many refusals, are kept; counters go on.
    ///   - width: how many callbacks are under way at once.
    package init(
        clock: SimulatorClock = .system,
        seed: UInt64 = 1,
        logCapacity: Int = 100_000,
        width: Int = 64
    ) {
        self.clock = clock
        wire = CallbackWire(width: width)
        world = Mutex(World(seed: seed, logCapacity: logCapacity))
    }

    func change<Result: Sendable, Failure: Error>(
        _ body: (inout sending World) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try world.withLock { world throws(Failure) in try body(&world) }
    }

    // MARK: Accounts

    /// Adds an account, or changes the settings of one that is there (a new key, another mode).
    package func put(_ settings: AccountSettings) { change { $0.put(settings) } }

    package func account(_ appID: String) throws(SimulatorError) -> AccountSettings {
        try change { world throws(SimulatorError) in
            world[try world.find(appID)].settings
        }
    }

    package var accounts: [AccountSettings] { change { $0.accounts.map(\.settings) } }

    /// Voids all access tokens of an account, as a reset of the secret does.
    package func voidTokens(of appID: String) throws(SimulatorError) {
        let now = clock.now()
        try change { world throws(SimulatorError) in
            world[try world.find(appID)].tokens.voidAll(at: now)
        }
    }

    /// Puts material on the shelf without an upload. Permanent, unless `temporary`.
    package func addMedia(
        _ kind: MediaKind,
        bytes: [UInt8] = [],
        temporary: Bool = false,
        to appID: String
    ) throws(SimulatorError) -> String {
        let now = clock.now()
        return try change { world throws(SimulatorError) in
            let number = try world.find(appID)
            let item = MediaShelf.Item(
                kind: kind,
                format: kind.format(of: bytes) ?? "application/octet-stream",
                bytes: bytes,
                expiresAt: temporary ? now + MediaShelf.lifetime : nil
            )
            return world.put(item, number, at: now)
        }
    }

    // MARK: Faults

    package func add(_ rule: FaultRule) { change { $0.faults.add(rule) } }
    package func clearFaults() { change { $0.faults.clear() } }
    package var faults: [FaultRule] { change { $0.faults.rules } }

    // MARK: What was seen

    /// What people saw, oldest first, after the first `sequence`, as far as the log still holds it.
    package func deliveries(since sequence: Int64 = 0) -> [Delivery] {
        change { $0.log.deliveries.since(sequence) }
    }

    /// What one person saw, as far as the log still holds it.
    package func deliveries(to openID: String, of appID: String) -> [Delivery] {
        deliveries().filter { $0.openID == openID && $0.appID == appID }
    }

    /// Customer-service messages that were refused, oldest first, after the first `sequence`.
    package func refusals(since sequence: Int64 = 0) -> [Refusal] {
        change { $0.log.refusals.since(sequence) }
    }

    /// How many things people saw so far: the sequence of the newest delivery.
    package var count: Int64 { change { $0.log.deliveries.total } }

    package var summary: DeliverySummary { change { $0.log.summary } }

    /// Whether, by WeChat's books, the person follows the account.
    package func follows(_ openID: String, _ appID: String) throws(SimulatorError) -> Bool {
        try change { world throws(SimulatorError) in
            world[try world.find(appID)].followers[openID]?.subscribed ?? false
        }
    }

    /// An openid that nobody of the account has yet.
    package func newOpenID(_ appID: String) throws(SimulatorError) -> String {
        try change { world throws(SimulatorError) in
            let number = try world.find(appID)
            while true {
                let openID = "o" + world.random.word(27)
                if world[number].followers[openID] == nil { return openID }
            }
        }
    }
}

/// A request of the user of the simulator that makes no sense.
package enum SimulatorError: Error, Sendable, Hashable {
    case unknownAccount(String)
    /// No QR code has this ticket, or it has expired.
    case unknownTicket(String)
    case clockCannotJump
}

extension World {
    func find(_ appID: String) throws(SimulatorError) -> Int {
        guard let number = number(of: appID) else { throw .unknownAccount(appID) }
        return number
    }
}
