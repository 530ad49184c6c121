import BelfryTestSupport
import Foundation
import Hummingbird
import Synchronization

/// A business server that takes webhooks, and remembers what it was handed and when.
final class WebhookReceiver: Sendable {
    struct Receipt: Sendable {
        /// The body.
        var id: String
        /// When the request was there, in milliseconds since 1970.
        var at: Int64
    }

    private let log = Mutex<[Receipt]>([])

    var receipts: [Receipt] { log.withLock { $0 } }
    /// Different ones.
    var count: Int { Set(receipts.map(\.id)).count }

    /// Listens on a free port of the loopback while `body` runs.
    ///
    /// - Parameter takes: so long it works on each request, so that some are always on their way.
    static func run(
        takes: Duration,
        _ body: @escaping @Sendable (WebhookReceiver, _ url: String) async throws -> Void
    ) async throws {
        let receiver = WebhookReceiver()
        let router = Router()
        router.post("/") { request, _ in
            let buffer = try await request.body.collect(upTo: 1 << 20)
            let at = Int64(Date().timeIntervalSince1970 * 1000)
            receiver.log.withLock { $0.append(Receipt(id: String(buffer: buffer), at: at)) }
            try await Task.sleep(for: takes)
            return HTTPResponse.Status.noContent
        }
        try await withLoopbackServer(router) { try await body(receiver, $0 + "/") }
    }
}
