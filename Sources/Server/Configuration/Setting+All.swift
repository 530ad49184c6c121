import BelfryChannels
import BelfryCore
import BelfryPostgresClient
import BelfryRedisClient
import Logging

extension Setting {
    /// Every setting there is, in the order in which they are printed.
    package static let all: [Setting] =
        data + start + timeline + http + logs + secrets + engines + outside

    /// Finds a setting by its key.
    package static func named(_ key: String) -> Setting? { all.first { $0.key == key } }

    private static let data: [Setting] = [
        .text(
            "data.folder",
            \.data.folder,
            needed: true,
            "Folder of the journal, the records and the keys."
        )
    ]

    private static let start: [Setting] = [
        .duration(
            "start.wait",
            \.start.wait,
            in: .zero ... .hours(1),
            "How long a start waits for a Redis or PostgreSQL that cannot be reached; 0s: it fails at once."
        )
    ]

    private static let timeline: [Setting] = [
        Setting(
            key: "timeline.url",
            meaning:
                "Where pending pushes are kept: redis://, rediss:// or postgres://, [user[:password]@]host[:port][/database]; behind Sentinel redis+sentinel://[user[:password]@]host[:port],host[:port]/name. "
                + "Empty: in the data folder. Shown without the password.",
            allowed: "empty, or an address of Redis or PostgreSQL",
            parse: { values, configuration throws(SettingProblem) in
                let text = values.first ?? ""
                if !text.isEmpty { _ = try shownAddress(text) }
                configuration.timeline.url = text
            },
            render: { configuration in
                let url = configuration.timeline.url
                // It was read before.
                return url.isEmpty ? "" : (try? shownAddress(url)) ?? "<redacted>"
            }
        ),
        .integer(
            "timeline.shards",
            \.timeline.shards,
            in: 1...16_384,
            "Shards that pushes on Redis are spread over, the same for all who share them; `belfry config set` changes them while serving."
        ),
        .text(
            "timeline.prefix",
            \.timeline.prefix,
            needed: true,
            "First word of every key in Redis, or the schema in PostgreSQL."
        ),
        .integer(
            "timeline.replicas",
            \.timeline.replicas,
            in: 0...9,
            "Replicas of Redis that must have a push before it counts as accepted."
        ),
        .choice(
            "timeline.confirm",
            \.timeline.confirm,
            "Where they must have it: in memory, or in files that have been synced, the primary's own among them (disk; Redis 7.2 or newer)."
        ),
        .choice(
            "timeline.intents",
            \.timeline.intents,
            "Keep in the data folder what Redis has confirmed until its replicas have it, and do it again where a fail-over loses it; auto: where there is a cluster or a replica."
        ),
        .choice(
            "timeline.alarm",
            \.timeline.alarm,
            "What wakes delivery: the timing wheel, or on a server a timer and hints of others; a look at every tick; or, on Redis alone, the ends of keys (notify-keyspace-events)."
        ),
        .duration(
            "timeline.tick",
            \.timeline.tick,
            in: .milliseconds(10)...Duration.seconds(60),
            "How often is looked with timeline.alarm: polling."
        ),
    ]

    /// An address of a server that keeps pushes, without its password.
    private static func shownAddress(_ text: String) throws(SettingProblem) -> String {
        if PostgresAddress.isOne(text) {
            do throws(PostgresFailure) { return try PostgresAddress(text).description } catch {
                throw SettingProblem(text: "is wrong: \(error.message)")
            }
        }
        let schemes = ["redis", "rediss", "redis+sentinel", "rediss+sentinel"]
        guard schemes.contains(where: { text.hasPrefix($0 + "://") }) else {
            throw SettingProblem(
                text:
                    "is wrong: the address must begin with redis:// or rediss://, redis+sentinel:// or rediss+sentinel://, or postgres://"
            )
        }
        return try shownRedis(text)
    }

    private static func shownRedis(_ text: String) throws(SettingProblem) -> String {
        do throws(TimelineError) { return try RedisAddress(text).description } catch {
            throw SettingProblem(text: "is wrong: \(error.message)")
        }
    }

    private static let http: [Setting] = [
        .text(
            "http.host",
            \.http.host,
            needed: true,
            "Address to listen on; other than loopback needs API keys."
        ),
        .integer("http.port", \.http.port, in: 0...65_535, "Port to listen on; 0: any free one."),
        .text(
            "http.public-url",
            \.http.publicURL,
            form: .webAddress,
            "How the world reaches this server, for callbacks and tracked links."
        ),
        .choice("http.auth", \.http.auth, "Who may use the API and the console."),
        .bytes(
            "http.body-bytes-max",
            \.http.bodyBytesMax,
            in: 1024...(64 << 20),
            "Largest request body."
        ),
        .bytes(
            "http.bulk-bytes-max",
            \.http.bulkBytesMax,
            in: 1024...(1 << 30),
            "Largest body of a bulk request."
        ),
        .integer(
            "http.bulk-items-max",
            \.http.bulkItemsMax,
            in: 1...1_000_000,
            "Most items of a bulk request."
        ),
        .bytes(
            "http.header-bytes-max",
            \.http.headerBytesMax,
            in: 1024...(1 << 20),
            "Largest head of a request."
        ),
        .integer(
            "http.connections-max",
            \.http.connectionsMax,
            in: 1...1_000_000,
            "Most connections at once; further ones wait."
        ),
        .duration(
            "http.idle-timeout",
            \.http.idleTimeout,
            in: .milliseconds(100) ... .hours(1),
            "How long a connection may be silent."
        ),
        .duration(
            "http.body-timeout",
            \.http.bodyTimeout,
            in: .milliseconds(100) ... .hours(1),
            "How long a whole request may take to arrive."
        ),
        .duration(
            "http.write-timeout",
            \.http.writeTimeout,
            in: .milliseconds(100) ... .hours(1),
            "How long a client may take to read before it is cut off."
        ),
        .flag("http.access-log", \.http.accessLog, "Log one line for each request."),
    ]

    private static let logs: [Setting] = [
        Setting(
            key: "log.level",
            meaning: "Least level that is logged.",
            allowed: "one of " + Logger.Level.allCases.map(\.rawValue).joined(separator: ", "),
            parse: { values, configuration throws(SettingProblem) in
                guard let level = values.first.flatMap({ Logger.Level(rawValue: $0) }) else {
                    throw SettingProblem(
                        text: "must be one of "
                            + Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                    )
                }
                configuration.log.level = level.rawValue
            },
            render: { $0.log.level }
        ),
        .choice("log.format", \.log.format, "How log lines look."),
    ]

    private static let secrets: [Setting] = [
        .text(
            "secret.key",
            \.secret.key,
            secret: true,
            "32 bytes in base64 that seal secrets at rest; better kept in a file."
        ),
        .text(
            "secret.key-file",
            \.secret.keyFile,
            "File of the key that seals secrets; made at the first start. Empty: in the data folder."
        ),
    ]

    private static let engines: [Setting] = [
        Setting(
            key: "records.url",
            meaning:
                "Where accounts, people and history are kept: postgres://[user[:password]@]host[:port][/database]. "
                + "Empty: in the data folder. Shown without the password.",
            allowed: "empty, or an address of PostgreSQL",
            parse: { values, configuration throws(SettingProblem) in
                let text = values.first ?? ""
                guard text.isEmpty || PostgresAddress.isOne(text) else {
                    throw SettingProblem(text: "must begin with postgres:// or postgresql://")
                }
                if !text.isEmpty { _ = try shownAddress(text) }
                configuration.records.url = text
            },
            render: { configuration in
                let url = configuration.records.url
                // It was read before.
                return url.isEmpty ? "" : (try? shownAddress(url)) ?? "<redacted>"
            }
        ),
        .duration(
            "records.retention",
            \.records.retention,
            in: .hours(1) ... .days(3660),
            "How long the history of people is kept."
        ),
        .duration(
            "records.purge-interval",
            \.records.purgeInterval,
            in: .seconds(10) ... .days(1),
            "How often old history is removed."
        ),
        .integer(
            "records.purge-rows-max",
            \.records.purgeRowsMax,
            in: 100...1_000_000,
            "Most rows that one purge removes."
        ),
        .duration(
            "records.poll-interval",
            \.records.pollInterval,
            in: .zero ... .minutes(1),
            "How often to look into a PostgreSQL of records for what other servers have set while running; 0s: never. At most 1s where a change is to hold everywhere within two seconds."
        ),
        .integer(
            "timeline.lanes",
            \.timeline.lanes,
            in: 0...64,
            "Lanes that pending pushes are spread over; another number than the folder has rewrites it at the start. 0: as the folder is; one for every four cores in a new one."
        ),
        .integer(
            "delivery.batch",
            \.delivery.batch,
            in: 1...PushLimits.batchPushes,
            "Most pushes in one claim."
        ),
        .duration(
            "delivery.lease",
            \.delivery.lease,
            in: .seconds(1)...PushLimits.lease,
            "How long a worker holds a push before it is due again."
        ),
        .integer(
            "delivery.concurrency",
            \.delivery.concurrency,
            in: 1...10_000,
            "Messages that one account sends at once; of brokers and logs, calls of up to 500 messages."
        ),
        .integer(
            "delivery.attempts-max",
            \.delivery.attemptsMax,
            in: 1...100,
            "Attempts before a push becomes a dead letter."
        ),
        .duration(
            "delivery.backoff-base",
            \.delivery.backoffBase,
            in: .milliseconds(10) ... .hours(1),
            "Longest wait before the second attempt, and twice the shortest; doubles each time."
        ),
        .duration(
            "delivery.backoff-max",
            \.delivery.backoffMax,
            in: .seconds(1) ... .days(1),
            "Longest wait between attempts."
        ),
        .integer(
            "delivery.circuit-failures",
            \.delivery.circuitFailures,
            in: 0...1000,
            "Failures in a row (no connection, no answer, 5xx) after which nothing more is sent to that webhook, broker, stream or account's WeChat API until it answers; never more than delivery.attempts-max. 0: it is tried on, and pushes run out of attempts."
        ),
        .duration(
            "delivery.circuit-cool-down",
            \.delivery.circuitCoolDown,
            in: .milliseconds(100) ... .minutes(1),
            "How long nothing is sent there before one message tries it; doubles each time it fails, up to 1m."
        ),
        .duration(
            "delivery.drain-timeout",
            \.delivery.drainTimeout,
            in: .zero ... .minutes(10),
            "How long a stop waits for what is in flight."
        ),
        .integer(
            "delivery.sends-max",
            \.delivery.sendsMax,
            in: 1...1_000_000,
            "Messages under way at once, over all accounts: what the way out can carry. The fewer, the less can stand in the way of an urgent one."
        ),
        .choice(
            "overload.defer",
            \.overload.bands,
            "Which priorities wait when capacity is short: low, or normal and low, the lowest first."
        ),
        .duration(
            "overload.lag-goal",
            \.overload.lagGoal,
            in: .milliseconds(10) ... .minutes(10),
            "How late the other priorities may become, and how long everything may be busy, before capacity counts as short."
        ),
        .duration(
            "overload.deferral-max",
            \.overload.deferralMax,
            in: .seconds(1) ... .days(1),
            "How long a push is deferred at most."
        ),
    ]

    private static let outside: [Setting] = [
        .text(
            "wechat.base-url",
            \.wechat.baseURL,
            needed: true,
            form: .webAddress,
            "Where the WeChat API is."
        ),
        .duration(
            "wechat.timeout",
            \.wechat.timeout,
            in: .milliseconds(100) ... .minutes(2),
            "How long one call of the WeChat API may take."
        ),
        .list(
            "webhook.allow",
            \.webhook.allow,
            of: .reachable,
            "Hosts, addresses and CIDR blocks that webhooks may reach although they are private."
        ),
        .duration(
            "webhook.timeout",
            \.webhook.timeout,
            in: .milliseconds(100) ... .minutes(2),
            "How long one webhook call may take."
        ),
        Setting(
            key: "rabbitmq.url",
            meaning:
                "Broker of the channel rabbitmq: amqp:// or amqps://, [user[:password]@]host[:port][/vhost]. Empty: no such channel. Shown without the password.",
            allowed: "empty, or an address of RabbitMQ",
            parse: { values, configuration throws(SettingProblem) in
                let text = values.first ?? ""
                do throws(RabbitMQAddressProblem) {
                    if !text.isEmpty { _ = try RabbitMQAddress(text) }
                } catch {
                    throw SettingProblem(text: "is wrong: \(error.description)")
                }
                configuration.rabbitmq.url = text
            },
            render: { configuration in
                let url = configuration.rabbitmq.url
                // It was read before.
                return url.isEmpty ? "" : (try? RabbitMQAddress(url).description) ?? "<redacted>"
            }
        ),
        .text(
            "rabbitmq.exchange",
            \.rabbitmq.exchange,
            form: .shortName,
            "Exchange that messages are published to. Empty: the default one, whose routing keys are names of queues."
        ),
        .text(
            "rabbitmq.routing-key",
            \.rabbitmq.routingKey,
            needed: true,
            form: .shortName,
            "Routing key of the messages; {account} stands for the account's key."
        ),
        .duration(
            "rabbitmq.timeout",
            \.rabbitmq.timeout,
            in: .seconds(1) ... .minutes(2),
            "How long a batch may take to be confirmed."
        ),
        Setting(
            key: "redis-stream.url",
            meaning:
                "Redis of the channel redis-stream: redis://, rediss:// or redis+sentinel://, as timeline.url. Empty: no such channel. Shown without the password.",
            allowed: "empty, or an address of Redis",
            parse: { values, configuration throws(SettingProblem) in
                let text = values.first ?? ""
                if !text.isEmpty { _ = try shownRedis(text) }
                configuration.redisStream.url = text
            },
            render: { configuration in
                let url = configuration.redisStream.url
                // It was read before.
                return url.isEmpty ? "" : (try? shownRedis(url)) ?? "<redacted>"
            }
        ),
        .text(
            "redis-stream.key",
            \.redisStream.key,
            needed: true,
            form: .shortName,
            "Key of the stream; {account} stands for the account's key."
        ),
        .integer(
            "redis-stream.length-max",
            \.redisStream.lengthMax,
            in: 0...1_000_000_000,
            "About how many of its newest entries a stream keeps; 0: all."
        ),
        .integer(
            "redis-stream.replicas",
            \.redisStream.replicas,
            in: 0...9,
            "Replicas that must have a message before it counts as sent."
        ),
        .duration(
            "redis-stream.timeout",
            \.redisStream.timeout,
            in: .seconds(1) ... .minutes(2),
            "How long a call may take to be answered."
        ),
    ]
}
