import NIOCore

/// What one caller asks at once: commands that go out together, answered in order.
struct RedisRequest: Sendable {
    var bytes: ByteBuffer
    var count: Int
    var deadline: NIODeadline
    var done: @Sendable (Result<[RedisReply], RedisFailure>) -> Void
}

/// Speaks the protocol on one connection, on its event loop: sends requests one behind the other without waiting for answers, and gives
/// each its replies. So many commands are under way at most; what comes beyond that waits its turn.
///
/// A watchdog stands over the oldest request: where its answer is late, the connection is given up, because what comes after it could
/// not be told apart.
final class RedisHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let reader = ReplyReader()
    private let limit: Int
    /// Takes what comes unasked, on a connection that listens.
    private let published: (@Sendable (RedisReply) -> Void)?
    private let ended: @Sendable () -> Void
    private var sent = CircularBuffer<RedisRequest>()
    private var waiting = CircularBuffer<RedisRequest>()
    private var underWay = 0
    private var replies: [RedisReply] = []
    private var failure: RedisFailure?
    private var watchdog: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    /// - Parameter limit: how many commands may be under way.
    init(
        limit: Int,
        published: (@Sendable (RedisReply) -> Void)?,
        ended: @escaping @Sendable () -> Void
    ) {
        self.limit = limit
        self.published = published
        self.ended = ended
    }

    func ask(_ request: RedisRequest) {
        if let failure { return request.done(.failure(failure)) }
        waiting.append(request)
        sendWaiting()
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        do throws(RedisFailure) {
            try buffer.withUnsafeReadableBytes { bytes throws(RedisFailure) in
                try reader.feed(bytes)
            }
            while let reply = try reader.next() { take(reply) }
        } catch {
            giveUp(error)
            context.close(promise: nil)
        }
        sendWaiting()
    }

    func channelInactive(context: ChannelHandlerContext) {
        giveUp(RedisFailure(.noAnswer, "the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        giveUp(RedisFailure(.noAnswer, "\(error)"))
        context.close(promise: nil)
    }

    /// Fails whatever waits; no request is taken any more.
    func giveUp(_ failure: RedisFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        watchdog?.cancel()
        ended()
        let requests = Array(sent)
        sent = []
        for request in requests { request.done(.failure(failure)) }
        let unsent = waiting
        waiting = []
        let notSent = RedisFailure(.notConnected, failure.message)
        for request in unsent { request.done(.failure(notSent)) }
    }

    private func take(_ reply: RedisReply) {
        if let published, reply.elements?.first?.string == "message" { return published(reply) }
        guard let first = sent.first else { return }
        replies.append(reply)
        guard replies.count == first.count else { return }
        let whole = replies
        replies = []
        underWay -= first.count
        sent.removeFirst()
        first.done(.success(whole))
    }

    private func sendWaiting() {
        guard let context, failure == nil else { return }
        var hasSent = false
        while let next = waiting.first, underWay == 0 || underWay + next.count <= limit {
            waiting.removeFirst()
            underWay += next.count
            sent.append(next)
            context.write(wrapOutboundOut(next.bytes), promise: nil)
            hasSent = true
        }
        if hasSent { context.flush() }
        watch(context)
    }

    private func watch(_ context: ChannelHandlerContext) {
        guard watchdog == nil, let first = sent.first else { return }
        watchdog = context.eventLoop.assumeIsolated().scheduleTask(deadline: first.deadline) {
            self.watchdog = nil
            self.look(context)
        }
    }

    /// The oldest request must have been answered by its deadline; a younger one has more time.
    private func look(_ context: ChannelHandlerContext) {
        guard let first = sent.first, first.deadline <= .now() else { return watch(context) }
        giveUp(RedisFailure(.noAnswer, "the server gave no answer in time"))
        context.close(promise: nil)
    }
}
