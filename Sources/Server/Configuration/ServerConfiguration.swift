package import BelfryCore

/// Everything that can be set from outside, with its default; ``Setting/all`` holds the keys, ranges and meanings.
///
/// Flags win over `BELFRY_…` environment variables, those over the file, that over the defaults here.
package struct ServerConfiguration: Sendable, Equatable {
    package var data = Data()
    package var timeline = Timeline()
    package var http = HTTP()
    package var log = Log()
    package var secret = Secret()
    package var records = Records()
    package var delivery = Delivery()
    package var overload = Overload()
    package var wechat = WeChat()
    package var webhook = Webhook()
    package var rabbitmq = RabbitMQ()
    package var redisStream = RedisStream()
    package var start = Start()

    package init() {}

    package struct Data: Sendable, Equatable {
        /// The folder of the journal, the records, the secret key and the first admin key.
        package var folder = "belfry-data"
    }

    package struct Start: Sendable, Equatable {
        /// How long a start waits for servers that cannot be reached. Zero: not at all.
        package var wait = Duration.zero
    }

    package struct Timeline: Sendable, Equatable {
        /// Threads with a journal of their own that the pushes of the data folder are spread over by recipient. 0: as many as the folder has, and in
        /// a new one the usual number.
        package var lanes = 0
        /// Where pending pushes are kept: `redis://…`, `rediss://…` or `postgres://…`. Empty: in the data folder.
        package var url = ""
        /// How many shards pushes on Redis are spread over; the same for every server that shares them.
        package var shards = 16
        /// The first word of the keys in Redis, or the schema in PostgreSQL.
        package var prefix = "belfry"
        /// Replicas that must have what was accepted.
        package var replicas = 0
        /// Where they, and the primary, must have it.
        package var confirm = Confirm.memory
        /// Whether what servers have confirmed is kept in the data folder until their replicas have it.
        package var intents = Intents.auto
        /// What wakes delivery when something is due.
        package var alarm = AlarmKind.hints
        /// How often is looked with polling.
        package var tick = Duration.seconds(1)
    }

    package enum Confirm: String, Sendable, Equatable, CaseIterable {
        case memory
        /// In append-only files that have been synced.
        case disk
    }

    package enum Intents: String, Sendable, Equatable, CaseIterable {
        /// Where the servers are a cluster or have replicas.
        case auto
        case on
        case off
    }

    package struct HTTP: Sendable, Equatable {
        package var host = "127.0.0.1"
        /// 0: any free port.
        package var port = 8080
        /// How the world reaches this server: for callbacks and tracked links. Empty: `http://host:port`.
        package var publicURL = ""
        package var auth = Auth.keys
        package var bodyBytesMax = 1 << 20
        package var bulkBytesMax = 64 << 20
        package var bulkItemsMax = 200_000
        package var headerBytesMax = 32 * 1024
        package var connectionsMax = 4096
        /// How long a connection may be silent, between requests and while a head is being read.
        package var idleTimeout = Duration.seconds(60)
        /// How long a whole request may take to arrive.
        package var bodyTimeout = Duration.seconds(60)
        /// How long a client may take to read what was sent before it is cut off.
        package var writeTimeout = Duration.seconds(30)
        package var accessLog = true
    }

    /// Who may use the API and the console.
    package enum Auth: String, Sendable, Equatable, CaseIterable {
        /// Bearer keys, everywhere.
        case keys
        /// Nobody is asked for a key; allowed on a loopback address only. For demonstrations.
        case loopbackOpen = "loopback-open"
    }

    package struct Log: Sendable, Equatable {
        package var level = "info"
        package var format = Format.text

        package enum Format: String, Sendable, Equatable, CaseIterable {
            case text
            case json
        }
    }

    package struct Secret: Sendable, Equatable {
        /// 32 bytes in base64 that seal secrets at rest. Empty: read from `keyFile`.
        package var key = ""
        /// Where the key lies; made at the first start. Empty: `secret.key` in the data folder.
        package var keyFile = ""
    }

    package struct Records: Sendable, Equatable {
        /// Where they are kept: `postgres://…`. Empty: in the data folder.
        package var url = ""
        /// How long the history of a person is kept.
        package var retention = Duration.days(90)
        package var purgeInterval = Duration.minutes(10)
        /// How many rows one purge removes at most, so that it never stalls the writer.
        package var purgeRowsMax = 5000
        /// How often to look for what other servers over the same PostgreSQL have set. Zero: never.
        package var pollInterval = Duration.seconds(1)
    }

    package struct Delivery: Sendable, Equatable {
        package var batch = 2000
        package var lease = Duration.seconds(30)
        /// Calls under way at once within one shipment of a channel; an account's own bound is its `concurrency`.
        package var concurrency = 64
        package var attemptsMax = 8
        package var backoffBase = Duration.seconds(1)
        package var backoffMax = Duration.minutes(30)
        /// So many failures in a row, and nothing more is sent to a webhook, broker or API until it answers; 0: never.
        package var circuitFailures = 5
        /// How long nothing is sent there before it is tried with one message.
        package var circuitCoolDown = Duration.seconds(5)
        /// How long a stop waits for what is in flight.
        package var drainTimeout = Duration.seconds(20)
        /// Messages under way at once, over all accounts.
        package var sendsMax = 16_384
    }

    /// What waits when capacity is short.
    package struct Overload: Sendable, Equatable {
        /// Which bands may be deferred, the lowest first.
        package enum Bands: String, Sendable, Equatable, CaseIterable {
            case off
            case low
            /// Low ones first, and normal ones where that is not enough.
            case normal
        }

        package var bands = Bands.low
        /// How late the other bands may become, and how long everything may be busy, before capacity counts as short.
        package var lagGoal = Duration.seconds(1)
        package var deferralMax = Duration.minutes(15)
    }

    package struct WeChat: Sendable, Equatable {
        package var baseURL = "https://api.weixin.qq.com"
        package var timeout = Duration.seconds(10)
    }

    package struct Webhook: Sendable, Equatable {
        /// Host names, addresses and CIDR blocks that may be called although they are private.
        package var allow: [String] = []
        package var timeout = Duration.seconds(15)
    }

    /// Where messages of the channel `rabbitmq` go.
    package struct RabbitMQ: Sendable, Equatable {
        /// `amqp://…` or `amqps://…`. Empty: there is no such channel.
        package var url = ""
        /// Empty: the default one, whose routing keys are names of queues.
        package var exchange = ""
        package var routingKey = "belfry"
        /// For a whole batch.
        package var timeout = Duration.seconds(30)
    }

    /// Where messages of the channel `redis-stream` go.
    package struct RedisStream: Sendable, Equatable {
        /// `redis://…` or `rediss://…`. Empty: there is no such channel.
        package var url = ""
        package var key = "belfry"
        /// 0: nothing is trimmed.
        package var lengthMax = 1_000_000
        /// Replicas that must have a message.
        package var replicas = 0
        /// From a call to its answer.
        package var timeout = Duration.seconds(30)
    }
}

extension ServerConfiguration {
    /// Whether the server can be reached from this machine only.
    package var isLoopback: Bool {
        http.host == "localhost" || http.host == "::1" || http.host.hasPrefix("127.")
    }

    /// How the world reaches this server, without a slash at the end.
    ///
    /// - Parameter port: the port that was bound, where `http.port` is 0.
    package func publicURL(port: Int? = nil) -> String {
        var url = http.publicURL
        if url.isEmpty {
            let host = http.host.contains(":") ? "[\(http.host)]" : http.host
            url = "http://\(host):\(port ?? http.port)"
        }
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }

    package var secretKeyFile: String {
        secret.keyFile.isEmpty ? "\(data.folder)/secret.key" : secret.keyFile
    }

    /// Where the first admin key is written at the first start.
    package var adminKeyFile: String { "\(data.folder)/admin.key" }
}
