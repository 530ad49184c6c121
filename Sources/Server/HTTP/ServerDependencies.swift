package import BelfryCore
package import BelfryDelivery
package import BelfryRecords
package import Logging

/// Everything the HTTP side needs from the rest of the server; the composition fills it in.
package struct ServerDependencies: Sendable {
    package var configuration: ServerConfiguration
    /// Where each setting came from, to be shown; empty where nobody asked.
    package var settings: [LoadedConfiguration.Value] = []
    /// What is set while running.
    package var live: LiveConfiguration
    /// Moves all pushes to another place; a server in a test may have none.
    package var moves: TimelineMoves?
    package var timeline: any Timeline
    package var records: Records
    package var clock: any WallClock
    package var logger: Logger
    package var registry: PrometheusRegistry
    /// Finds who is behind a key.
    package var keys: StoredKeys
    /// What delivery is doing at this moment; asked about once a second.
    package var reading: @Sendable () async -> DeliveryReading
    /// Which pushes are deferred at this moment because capacity is short; `nil`: none.
    package var overload: @Sendable () -> Overload? = { nil }
    /// The circuits that are open, and keep an account's pushes waiting.
    package var openCircuits: @Sendable (_ account: String) -> [CircuitState] = { _ in [] }
    /// Where the composition publishes what happens, and event streams listen.
    package var feed: LiveFeed
    /// Answers `/wechat/{account}/callback`.
    package var callback: @Sendable (CallbackRequest) async -> CallbackAnswer
    /// Starts flows for what a business server reports (`POST /v1/events`).
    package var report: @Sendable (ReportedEvent) async throws -> ReportedAnswer
    /// The accounts and their flows as they are in use; read anew when one of them changes.
    package var accounts: AccountBook
    /// Somebody opened a tracked link; flows may wait for that.
    package var linkFollowed: @Sendable (LinkRecord) async -> Void
    /// The channels there are; a push for another one is refused.
    package var channels: Set<String>
    /// Whether there is such an account. Called for each push of a bulk request whose account differs from the one before.
    package var isAccount: @Sendable (String) -> Bool
    /// Why an account can send nothing over a channel, such as a webhook without an address; `nil` if it can, as far as its settings tell.
    /// Called for each push of a bulk request whose account or channel differs from the one before.
    package var channelProblem: @Sendable (_ account: String, _ channel: String) -> String?
    /// What is wrong with a payload for a channel, such as a WeChat message that is too long; `nil` if it can be sent as it is.
    package var payloadProblem: @Sendable (_ channel: String, _ payload: [UInt8]) -> String?
    /// Channels that take any payload, so that bulk requests need not look.
    package var uncheckedChannels: Set<String>
    /// Subscribes people to topics.
    package var reminders: ReminderDesk
    /// Takes lines of the history that a request does not wait for.
    package var late: LateLines
    /// What must be well for the server to be ready, by name.
    package var checks: @Sendable () async -> [Check]
    /// Writes a copy of the data folder to an absolute path on this machine.
    package var backup: @Sendable (_ destination: String) async throws -> Backup.Report = { _ in
        throw Problem(.unavailable, "This server keeps nothing that could be copied.")
    }
    /// Moves the records to another place; `nil`: they cannot be moved.
    package var mover: RecordsMover?
    /// Before something is called unknown: reads what other servers have written of accounts, flows and topics.
    package var catchUp: @Sendable () async throws -> Void = {}
    /// How many shards on Redis were found empty that were not, since the start.
    package var lostShards: @Sendable () -> Int = { 0 }
    /// `nil`: this is none.
    package var demonstration: Demonstration?
    package var version: String
    /// When this server began.
    package let began: Timestamp

    package init(
        configuration: ServerConfiguration,
        timeline: any Timeline,
        records: Records,
        clock: any WallClock,
        logger: Logger,
        registry: PrometheusRegistry,
        keys: StoredKeys,
        reading: @escaping @Sendable () async -> DeliveryReading,
        feed: LiveFeed,
        callback: @escaping @Sendable (CallbackRequest) async -> CallbackAnswer,
        report: @escaping @Sendable (ReportedEvent) async throws -> ReportedAnswer,
        accounts: AccountBook,
        linkFollowed: @escaping @Sendable (LinkRecord) async -> Void = { _ in },
        channels: Set<String>,
        isAccount: @escaping @Sendable (String) -> Bool,
        channelProblem: @escaping @Sendable (String, String) -> String? = { _, _ in nil },
        payloadProblem: @escaping @Sendable (String, [UInt8]) -> String? = { _, _ in nil },
        uncheckedChannels: Set<String> = [],
        reminders: ReminderDesk? = nil,
        late: LateLines? = nil,
        checks: @escaping @Sendable () async -> [Check] = { [] },
        demonstration: Demonstration? = nil,
        version: String
    ) {
        self.configuration = configuration
        self.timeline = timeline
        self.records = records
        live = LiveConfiguration(records: records, clock: clock, node: "this")
        self.clock = clock
        began = clock.now()
        self.logger = logger
        self.registry = registry
        self.keys = keys
        self.reading = reading
        self.feed = feed
        self.callback = callback
        self.report = report
        self.accounts = accounts
        self.linkFollowed = linkFollowed
        self.channels = channels
        self.isAccount = isAccount
        self.channelProblem = channelProblem
        self.payloadProblem = payloadProblem
        self.uncheckedChannels = uncheckedChannels
        self.reminders =
            reminders
            ?? ReminderDesk(records: records, timeline: timeline, clock: clock, feed: feed)
        self.late = late ?? LateLines(records: records, feed: feed, logger: logger)
        self.checks = checks
        self.demonstration = demonstration
        self.version = version
    }
}

/// One thing that should be well.
package struct Check: Sendable, Hashable {
    package var name: String
    /// What is wrong; `nil`: nothing.
    package var problem: String?
    /// Whether the server is not ready without it.
    package var isVital: Bool

    package init(_ name: String, problem: String? = nil, isVital: Bool = true) {
        self.name = name
        self.problem = problem
        self.isVital = isVital
    }
}

/// A call of WeChat, as it came in.
package struct CallbackRequest: Sendable {
    package var account: String
    package var method: String
    /// Percent-decoded, in order.
    package var query: [(name: String, value: String)]
    package var body: [UInt8]

    package init(
        account: String,
        method: String,
        query: [(name: String, value: String)],
        body: [UInt8]
    ) {
        self.account = account
        self.method = method
        self.query = query
        self.body = body
    }
}

package struct CallbackAnswer: Sendable {
    package var status: Int
    package var contentType: String
    package var body: [UInt8]

    package init(status: Int, contentType: String = "text/plain; charset=utf-8", body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// Something that a business server says happened to a person.
package struct ReportedEvent: Sendable, Hashable {
    package var recipient: Recipient
    /// The event's name, which conditions and goals of flows ask for; `nil`: none.
    package var name: String?
    /// The flow to start; `nil`: none is started.
    package var flow: String?
    package var variables: [String: String]
    package var at: Timestamp

    package init(
        recipient: Recipient,
        name: String?,
        flow: String?,
        variables: [String: String],
        at: Timestamp
    ) {
        self.recipient = recipient
        self.name = name
        self.flow = flow
        self.variables = variables
        self.at = at
    }
}

/// What an event led to.
package struct ReportedAnswer: Sendable, Hashable {
    /// The pushes that it planned.
    package var pushes: [PushID]
    /// Why no flow was started although one was asked for; `nil`: it was.
    package var refusal: String?

    package init(pushes: [PushID] = [], refusal: String? = nil) {
        self.pushes = pushes
        self.refusal = refusal
    }
}

/// What delivery is doing at one moment.
package struct DeliveryReading: Sendable, Hashable {
    /// Due and not yet settled, what waits for its account's rate or pause included.
    package var dueNow: Int
    /// What this server holds of it.
    package var inFlight: Int
    /// Time from when it was to go out to handed over, of the last minutes; `nil` before the first.
    package var latenessP50: Duration?
    package var latenessP95: Duration?
    package var latenessP99: Duration?
    /// How much of that holds and retries took.
    package var heldP50: Duration?
    package var heldP95: Duration?
    package var heldP99: Duration?
    /// Held ones included.
    package var oldestOverdue: Duration?
    /// Of what was put back until later, by why.
    package var oldestHeld: [WaitingState: Duration]
    package var sentLastMinute: Int
    /// What may be sent in a minute, all accounts together; `nil`: no limit.
    package var sendLimitPerMinute: Int?
    package var failedLastHour: Int
    /// Since the start, by ``Outcome``.
    package var outcomes: [Outcome: Int]
    /// What is deferred because capacity is short; `nil`: nothing is.
    package var overload: Overload?
    /// The webhooks, brokers, streams and APIs that are or were out of order since the start.
    package var circuits: [CircuitState] = []
    /// How often capacity became short, and how many messages were sent late by it, since the start.
    package var overloads = 0
    package var deferred = 0
    /// Messages a second that go out when everything is busy; `nil` while that has never been so.
    package var capacity: Double?

    package init(
        dueNow: Int = 0,
        inFlight: Int = 0,
        latenessP50: Duration? = nil,
        latenessP95: Duration? = nil,
        latenessP99: Duration? = nil,
        heldP50: Duration? = nil,
        heldP95: Duration? = nil,
        heldP99: Duration? = nil,
        oldestOverdue: Duration? = nil,
        oldestHeld: [WaitingState: Duration] = [:],
        sentLastMinute: Int = 0,
        sendLimitPerMinute: Int? = nil,
        failedLastHour: Int = 0,
        outcomes: [Outcome: Int] = [:]
    ) {
        self.dueNow = dueNow
        self.inFlight = inFlight
        self.latenessP50 = latenessP50
        self.latenessP95 = latenessP95
        self.latenessP99 = latenessP99
        self.heldP50 = heldP50
        self.heldP95 = heldP95
        self.heldP99 = heldP99
        self.oldestOverdue = oldestOverdue
        self.oldestHeld = oldestHeld
        self.sentLastMinute = sentLastMinute
        self.sendLimitPerMinute = sendLimitPerMinute
        self.failedLastHour = failedLastHour
        self.outcomes = outcomes
    }
}
