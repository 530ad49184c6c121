import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

import enum BelfryCore.DurationText

/// A client that takes too long to send a request.
struct SlowClient: Error, CustomStringConvertible {
    let timeout: String
    var description: String { "The request did not arrive within \(timeout)." }
}

/// HTTP/1.1 as the library speaks it, with ``SlowClientHandler`` behind the decoder.
struct GuardedHTTP1: ServerChildChannel {
    let base: HTTP1Channel
    let bodyTimeout: Duration
    let writeTimeout: Duration

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.context(
                handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self
            )
            let handler = SlowClientHandler(bodyTimeout: bodyTimeout, writeTimeout: writeTimeout)
            try pipeline.addHandler(handler, position: .after(decoder.handler))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
            await base.handle(value: value, logger: logger)
        }
    }
}

/// Cuts off clients that dribble a request in or do not read their answer, whatever they do in between.
///
/// The idle timeout of the server cannot see them: to it, each byte is a sign of life.
final class SlowClientHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let bodyTimeout: TimeAmount
    private let writeTimeout: TimeAmount
    private let described: String
    private var body: Scheduled<Void>?
    private var write: Scheduled<Void>?

    init(bodyTimeout: Duration, writeTimeout: Duration) {
        self.bodyTimeout = TimeAmount(bodyTimeout)
        self.writeTimeout = TimeAmount(writeTimeout)
        described = DurationText.inOneUnit(bodyTimeout)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: expectEnd(context)
        case .body: break
        case .end:
            body?.cancel()
            body = nil
        }
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        write?.cancel()
        write = nil
        if !context.channel.isWritable {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            write = context.eventLoop.scheduleTask(in: writeTimeout) {
                bound.value.close(promise: nil)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    /// The error ends the body that a handler is reading, which answers 408; the connection closes after that.
    private func expectEnd(_ context: ChannelHandlerContext) {
        body?.cancel()
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        let slow = SlowClient(timeout: described)
        body = context.eventLoop.scheduleTask(in: bodyTimeout) {
            bound.value.fireErrorCaught(slow)
        }
    }

    private func stop() {
        body?.cancel()
        write?.cancel()
    }
}
