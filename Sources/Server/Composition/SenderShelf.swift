import BelfryCore
import BelfryRecords
import BelfryWeChat
import Synchronization

/// One sender for each WeChat account, kept while its credentials stay the same: it holds the access token.
final class SenderShelf: Sendable {
    private struct Entry {
        var credentials: WeChatCredentials
        var base: WeChatBaseURL
        var sender: WeChatSender
    }

    private let accounts: AccountBook
    private let caller: any HTTPCaller
    private let clock: any WallClock
    private let defaultBase: WeChatBaseURL
    private let timeout: Duration
    private let mediaFolder: String
    private let cache: any MediaCache
    private let entries = Mutex<[String: Entry]>([:])

    init(
        accounts: AccountBook,
        caller: any HTTPCaller,
        clock: any WallClock,
        base: WeChatBaseURL,
        timeout: Duration,
        mediaFolder: String,
        cache: any MediaCache
    ) {
        self.accounts = accounts
        self.caller = caller
        self.clock = clock
        defaultBase = base
        self.timeout = timeout
        self.mediaFolder = mediaFolder
        self.cache = cache
    }

    /// `nil` where there is no such account, or it has no secret.
    subscript(key: String) -> WeChatSender? {
        guard let record = accounts[key]?.record, record.kind == .wechat, let secret = record.secret
        else { return nil }
        let credentials = WeChatCredentials(appID: record.appID, secret: secret.reveal())
        let base = record.baseURL.map(WeChatBaseURL.init) ?? defaultBase
        return entries.withLock { entries in
            if let entry = entries[key], entry.credentials == credentials, entry.base == base {
                return entry.sender
            }
            let client = WeChatClient(
                credentials: credentials,
                base: base,
                caller: caller,
                clock: clock,
                timeout: timeout
            )
            let media = MediaLibrary(
                client: client,
                files: MediaFolder(path: "\(mediaFolder)/\(key)"),
                cache: cache,
                clock: clock
            )
            let sender = WeChatSender(client: client, media: media)
            entries[key] = Entry(credentials: credentials, base: base, sender: sender)
            return sender
        }
    }
}
