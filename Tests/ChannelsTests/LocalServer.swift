import BelfryChannels
import BelfryCore
import BelfryTestSupport
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A request as the server saw it.
struct SeenRequest: Sendable {
    var path: String
    var host: String
    var headers: [String: String]
    var body: [UInt8]
}

/// What the local server was asked.
final class Seen: Sendable {
    private let log = Mutex<[SeenRequest]>([])

    var requests: [SeenRequest] { log.withLock { $0 } }

    func add(_ request: SeenRequest) { log.withLock { $0.append(request) } }
}

/// What a local server says to a request.
struct Answering: Sendable {
    let answer: @Sendable (SeenRequest) -> Response

    init(_ answer: @escaping @Sendable (SeenRequest) -> Response) { self.answer = answer }
}

/// Runs a real HTTP server on a free port of the loopback while `body` runs.
///
/// - Parameter answering: what it says to each request.
func withServer(
    _ answering: Answering,
    _ body: @escaping @Sendable (_ base: String, _ seen: Seen) async throws -> Void
) async throws {
    let seen = Seen()
    let router = Router()
    let routes = ["/", "**"].flatMap { path in
        [HTTPRequest.Method.get, .post].map { (RouterPath(path), $0) }
    }
    for (path, method) in routes {
        router.on(path, method: method) { request, _ in
            let buffer = try await request.body.collect(upTo: 1 << 20)
            let one = SeenRequest(
                path: request.uri.path,
                host: request.head.authority ?? "",
                headers: Dictionary(
                    request.headers.map { ($0.name.canonicalName, $0.value) }
                ) { $1 },
                body: Array(buffer.readableBytesView)
            )
            seen.add(one)
            return answering.answer(one)
        }
    }
    try await withLoopbackServer(router) { try await body($0, seen) }
}

/// Ways in which a server that is no server can end a connection.
enum Misbehaviour: Sendable {
    /// Takes the request and never answers.
    case hangs
    /// Takes the request and closes.
    case closes
    /// Takes the request and resets the connection.
    case resets
    /// Answers half a head.
    case babbles
}

/// Runs a TCP server that misbehaves while `body` runs.
func withBadServer(
    _ behaviour: Misbehaviour,
    _ body: (_ base: String) async throws -> Void
) async throws {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .childChannelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(BadHandler(behaviour: behaviour))
            }
        }
        .bind(host: "127.0.0.1", port: 0).get()
    let result: Result<Void, any Error>
    do {
        try await body("http://127.0.0.1:\(server.localAddress?.port ?? 0)")
        result = .success(())
    } catch {
        result = .failure(error)
    }
    try await server.close()
    try result.get()
}

private final class BadHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let behaviour: Misbehaviour

    init(behaviour: Misbehaviour) { self.behaviour = behaviour }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch behaviour {
        case .hangs: break
        case .closes: context.close(promise: nil)
        case .resets:
            let close = context.loopBound
            (context.channel as? any SocketOptionProvider)?
                .setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .whenComplete { _ in close.value.close(promise: nil) }
        case .babbles:
            let nonsense = ByteBuffer(string: "HTTP/1.1 200 OK\r\ncontent-le")
            let close = context.loopBound
            context.writeAndFlush(wrapOutboundOut(nonsense))
                .whenComplete { _ in close.value.close(promise: nil) }
        }
    }
}

/// A port of the loopback where nobody listens, and nobody else can while this lives.
final class RefusedPort: Sendable {
    let port: Int
    private let descriptor: CInt

    init() throws {
        #if canImport(Glibc)
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        #else
        descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(bound)
        port = Int(in_port_t(bigEndian: address.sin_port))
    }

    deinit { close(descriptor) }
}

/// Makes calls, and closes all connections afterwards.
func withCaller(_ body: (HTTPClientCaller) async throws -> Void) async throws {
    let caller = HTTPClientCaller()
    let result: Result<Void, any Error>
    do {
        try await body(caller)
        result = .success(())
    } catch {
        result = .failure(error)
    }
    await caller.shutdown()
    try result.get()
}

extension HTTPClientCaller {
    /// The kind of failure of a call; `nil` where an answer came.
    func failure(_ call: HTTPCall) async -> HTTPFailure.Kind? {
        do {
            _ = try await self.call(call)
            return nil
        } catch {
            return error.kind
        }
    }
}
