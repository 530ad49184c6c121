package import BelfryCore
package import BelfryRedisClient

/// How a timeline lies in Redis, and who uses it.
package struct RedisConfiguration: Sendable {
    /// The first word of every key.
    package var prefix = "belfry"
    /// How many shards: 1 to 16,384, the same for everybody who uses these keys.
    package var shards = 16
    /// Names this process across restarts: what it held when it ended is due again as soon as it is back. Nobody else may use the name.
    package var owner: String
    /// Names the records that know the accounts of these pushes; empty: nothing is said about that. Who names others than those who came first is refused.
    package var records = ""
    /// A due push moves up one priority band each time it has waited this long (promise T7).
    package var ageing = Duration.seconds(60)
    /// The time by which what others have changed is noticed, where the hint of it was lost.
    package var sweep = Duration.seconds(30)
    /// Who must have an accepted push, a cancel or a settlement before the caller hears of it. Where they do not confirm in time, the call fails with `io`, though the
    /// primary has done it.
    package var confirmation = Confirmation()
    /// Whether what servers have confirmed is kept here until their replicas have it.
    package var intents = IntentUse.off
    /// What wakes whoever waits for something to be due.
    package var alarm = AlarmKind.hints
    /// How often is looked with `polling`.
    package var tick = Duration.seconds(1)
    /// At most so much is kept; without any confirmation the oldest goes first.
    package var intentBytes = 256 << 20
    /// Takes what an operator should know.
    package var told: @Sendable (String) -> Void = { _ in }
    /// Takes the shards in which everything was lost that this process knew to be there.
    package var lost: @Sendable ([Int]) -> Void = { _ in }
    /// From a request to its answer.
    package var commandTimeout = Duration.seconds(10)
    /// From the first packet to the end of the log-in.
    package var connectTimeout = Duration.seconds(5)

    package init(owner: String) { self.owner = owner }
}

/// Whether this process keeps what servers have confirmed, in a folder of its own, to do it again where they lose it.
package enum IntentUse: Sendable, Hashable {
    case off
    /// Where the servers are a cluster or have replicas, or something lies in the folder.
    case whereReplicated(folder: String)
    case on(folder: String)

    func log(isReplicated: Bool) throws(TimelineError) -> IntentLog? {
        switch self {
        case .off: nil
        case .on(let folder): try IntentLog(folder: folder)
        case .whereReplicated(let folder):
            isReplicated || IntentLog.isUsed(folder) ? try IntentLog(folder: folder) : nil
        }
    }
}

/// Whose clock decides what is due.
package enum RedisClock: Sendable {
    /// The server's, read within each script.
    case server
    /// A clock of the caller's, sent with each call: for tests on virtual time. Everybody who uses the keys must share it.
    case given(any WallClock)

    /// For what is waited for on this side: spans, never points of time.
    var steady: any WallClock {
        switch self {
        case .server: SystemClock()
        case .given(let clock): clock
        }
    }
}
