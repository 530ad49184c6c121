import BelfryCore
import BelfryWeChat
import Synchronization

/// Answers calls from a script, and remembers them.
final class FakeWeChat: HTTPCaller {
    struct Request: Sendable {
        var method: String
        var path: String
        var query: String
        var headers: [String: String]
        var body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    typealias Script = @Sendable (Request) async -> Result<HTTPAnswer, HTTPFailure>

    private let script: Script
    private let log = Mutex<[Request]>([])

    init(_ script: @escaping Script) { self.script = script }

    var requests: [Request] { log.withLock { $0 } }

    func count(_ path: String) -> Int { requests.count { $0.path == path } }

    func call(_ request: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer {
        let rest = request.url.dropFirst("https://wechat.test".count)
        let parts = rest.split(separator: "?", maxSplits: 1)
        let seen = Request(
            method: request.method,
            path: String(parts[0]),
            query: parts.count > 1 ? String(parts[1]) : "",
            headers: Dictionary(request.headers.map { ($0.name, $0.value) }) { $1 },
            body: request.body
        )
        log.withLock { $0.append(seen) }
        return try await script(seen).get()
    }
}

extension Result where Success == HTTPAnswer, Failure == HTTPFailure {
    static func json(_ text: String, status: Int = 200) -> Self {
        .success(HTTPAnswer(status: status, body: Array(text.utf8)))
    }

    static func error(_ code: Int) -> Self {
        .json(#"{"errcode":\#(code),"errmsg":"no rid: 1-2-3"}"#)
    }

    static func token(_ value: String, life: Int = 7200) -> Self {
        .json(#"{"access_token":"\#(value)","expires_in":\#(life)}"#)
    }

    static func failure(_ kind: HTTPFailure.Kind) -> Self {
        .failure(HTTPFailure(kind, "as scripted"))
    }

    static var ok: Self { .json(#"{"errcode":0,"errmsg":"ok"}"#) }
}

enum Path {
    static let token = "/cgi-bin/stable_token"
    static let send = "/cgi-bin/message/custom/send"
    static let upload = "/cgi-bin/media/upload"
}

extension WeChatClient {
    static func fake(_ caller: any HTTPCaller, _ clock: any WallClock) -> WeChatClient {
        WeChatClient(
            credentials: WeChatCredentials(appID: "wx1", secret: "s3cret"),
            base: WeChatBaseURL("https://wechat.test/"),
            caller: caller,
            clock: clock
        )
    }
}

/// A number that counts up, for scripts.
final class Counter: Sendable {
    private let value = Atomic<Int>(0)

    /// 1, 2, 3 …
    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).newValue }
}
