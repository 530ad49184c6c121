import BelfryCore
import BelfryTestSupport
import BelfryWeChat
import Hummingbird
import NIOCore
import Synchronization

/// Serves callbacks with the product's own codec, as its server does, and keeps what came in.
final class CallbackEndpoint: Sendable {
    private let callback: Mutex<WeChatCallback>
    private let log = Mutex<[Inbound]>([])
    private let problems = Mutex<[CallbackError]>([])
    private let reply: @Sendable (Inbound) -> PassiveReply?

    init(_ callback: WeChatCallback, _ reply: @escaping @Sendable (Inbound) -> PassiveReply?) {
        self.callback = Mutex(callback)
        self.reply = reply
    }

    var received: [Inbound] { log.withLock { $0 } }
    var refused: [CallbackError] { problems.withLock { $0 } }

    func use(_ new: WeChatCallback) { callback.withLock { $0 = new } }

    /// Runs `body` while it listens.
    func serve(_ body: @escaping @Sendable (_ url: String) async throws -> Void) async throws {
        let router = Router()
        router.get("callback") { request, _ in self.respond(request, []) }
        router.post("callback") { request, _ in
            let buffer = try await request.body.collect(upTo: 1 << 20)
            return self.respond(request, Array(buffer.readableBytesView))
        }
        try await withLoopbackServer(router) { try await body($0 + "/callback") }
    }

    private func respond(_ request: Request, _ body: [UInt8]) -> Response {
        let now = SystemClock().now()
        let callback = callback.withLock { $0 }
        do throws(CallbackError) {
            let pairs = request.uri.queryParameters.map { (String($0.key), String($0.value)) }
            let query = try CallbackQuery(pairs: pairs)
            if request.method == .get { return text(try callback.echo(query, now: now)) }
            let opened = try callback.open(query, body: body, now: now)
            log.withLock { $0.append(opened.inbound) }
            var random = SystemRandomNumberGenerator()
            let answer = callback.answer(
                reply(opened.inbound),
                to: opened,
                now: now,
                using: &random
            )
            return text(answer.body)
        } catch {
            problems.withLock { $0.append(error) }
            return Response(status: .init(code: error.status))
        }
    }

    private func text(_ text: String) -> Response {
        Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
