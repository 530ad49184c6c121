import BelfryChannels
import BelfryCore
import BelfryRecords
import BelfryWeChat

extension BelfryNode {
    /// The channels of all accounts, and those to brokers that are set up.
    static func channels(
        _ configuration: ServerConfiguration,
        folder: DataFolder,
        accounts: AccountBook,
        records: Records,
        caller: HTTPClientCaller,
        brokers: Brokers,
        live: LiveConfiguration,
        clock: any WallClock
    ) -> [any Channel] {
        let concurrency: @Sendable () -> Int = {
            live.settings.concurrency ?? configuration.delivery.concurrency
        }
        let senders = SenderShelf(
            accounts: accounts,
            caller: caller,
            clock: clock,
            base: WeChatBaseURL(configuration.wechat.baseURL),
            timeout: configuration.wechat.timeout,
            mediaFolder: folder.media,
            cache: StoredMedia(records: records)
        )
        let guardian = WebhookGuard(
            allowed: WebhookGuard.Allowed(configuration.webhook.allow),
            clock: clock
        )
        let timeout = configuration.webhook.timeout
        let wechat = WeChatInterface.allCases.map { interface in
            WeChatChannel(
                interface,
                clock: clock,
                concurrency: concurrency
            ) { senders[$0] }
        }
        return wechat + [
            WebhookChannel(
                caller: caller,
                guardian: guardian,
                clock: clock,
                concurrency: concurrency
            ) { accounts[$0]?.webhookTarget(timeout: timeout) },
            LogChannel(path: "\(folder.path)/log-channel.ndjson", clock: clock),
            NullChannel(),
        ] + brokers.channels
    }

    /// What pushes and steps of flows may name, in the order in which people are told.
    package static let channelList =
        WeChatInterface.allCases.map(\.rawValue)
        + ["webhook", "rabbitmq", "redis-stream", "log", "null"]

    static let channelNames = Set(channelList)

    /// What is wrong with a payload for a channel; `nil` where it can be sent.
    @Sendable package static func payloadProblem(channel: String, payload: [UInt8]) -> String? {
        guard let interface = WeChatInterface(rawValue: channel) else { return nil }
        do {
            try interface.check(json: payload)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
