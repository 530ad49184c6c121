import BelfryCore
import CRabbitMQ
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What became of one published message.
enum RabbitMQFate: Sendable, Hashable {
    /// The broker has it, on disk where its queue is durable.
    case confirmed
    /// The broker does not take it.
    case refused
    /// No queue takes it; what the broker says.
    case unroutable(String)
    /// It was published, and no confirm came.
    case lost(String)
    /// It was not published.
    case unsent(String)
}

/// One connection to a broker with one channel, in confirm mode. Its calls block, and belong to one thread at a time.
final class RabbitMQConnection {
    /// Ends what blocks, from another thread.
    let cutter = Cutter()
    private let connection: amqp_connection_state_t
    /// The tag of the newest message; the broker counts them from 1.
    private var published: UInt64 = 0
    /// After a failure nobody knows what was read and written.
    private(set) var isBroken = false

    /// - Parameter patience: for each step of the greeting.
    /// - Throws: ``RabbitMQFailure``
    init(_ address: RabbitMQAddress, patience: Duration) throws(RabbitMQFailure) {
        guard let connection = amqp_new_connection() else {
            throw RabbitMQFailure("unreachable", "there is no memory for a connection")
        }
        self.connection = connection
        var limit = timeval(patience)
        let socket = try Self.socket(connection, address.tls)
        let opened = amqp_socket_open_noblock(socket, address.host, Int32(address.port), &limit)
        guard opened == RabbitMQ.fine else {
            throw RabbitMQFailure(Self.step(opened), "\(address): \(RabbitMQ.text(opened))")
        }
        amqp_set_handshake_timeout(connection, &limit)
        amqp_set_rpc_timeout(connection, &limit)
        cutter.set(amqp_get_sockfd(connection))
        let reply = belfry_amqp_login(
            connection,
            address.virtualHost,
            address.user,
            address.password
        )
        guard reply.reply_type == AMQP_RESPONSE_NORMAL else {
            throw RabbitMQFailure("login", "\(address): \(Self.text(reply))")
        }
        guard amqp_channel_open(connection, RabbitMQ.channel) != nil,
            amqp_confirm_select(connection, RabbitMQ.channel) != nil
        else {
            let reply = amqp_get_rpc_reply(connection)
            throw RabbitMQFailure("login", "\(address): \(Self.text(reply))")
        }
    }

    deinit {
        cutter.set(-1)
        // Closes its socket, too. What the broker makes of that is no longer asked.
        _ = amqp_destroy_connection(connection)
    }

    private static func socket(_ connection: amqp_connection_state_t, _ tls: RabbitMQTLS?)
        throws(RabbitMQFailure) -> OpaquePointer
    {
        if let tls { return try tls.socket(for: connection) }
        guard let socket = amqp_tcp_socket_new(connection) else {
            throw RabbitMQFailure("unreachable", "there is no memory for a socket")
        }
        return socket
    }

    /// A certificate that is not trusted is somebody's mistake; that nobody answers may pass.
    private static func step(_ status: Int32) -> String {
        let ofTLS = [
            AMQP_STATUS_SSL_ERROR, AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED,
            AMQP_STATUS_SSL_PEER_VERIFY_FAILED, AMQP_STATUS_SSL_CONNECTION_FAILED,
        ]
        return ofTLS.contains { Int32($0.rawValue) == status } ? "tls" : "unreachable"
    }

    /// Whether the broker has hung up since the last use: a message for a closed connection would count as lost.
    func isOpen() -> Bool {
        var now = timeval()
        while !isBroken {
            let event = belfry_amqp_next(connection, &now)
            if event.kind == BELFRY_AMQP_NONE { return event.status == RabbitMQ.timedOut }
            isBroken = event.kind == BELFRY_AMQP_CLOSE
        }
        return false
    }

    /// Publishes all, and waits until the broker has said of each what it made of it.
    ///
    /// - Returns: one fate for each, in order.
    func publish(_ messages: [OutboundMessage], to route: RabbitMQRoute, at seconds: UInt64)
        -> [RabbitMQFate]
    {
        let first = published + 1
        var fates: [RabbitMQFate] = []
        fates.reserveCapacity(messages.count)
        for message in messages {
            guard !isBroken else {
                fates.append(.unsent("the connection broke before its turn"))
                continue
            }
            let status = RabbitMQEnvelope(message, route, seconds).publish(on: connection)
            published += 1
            isBroken = status != RabbitMQ.fine
            fates.append(.lost(isBroken ? RabbitMQ.text(status) : "no confirm came"))
        }
        var book = ConfirmBook(first: first, fates: fates)
        while book.isOpen, !isBroken { hear(&book, messages) }
        return book.fates
    }

    private func hear(_ book: inout ConfirmBook, _ messages: [OutboundMessage]) {
        let event = belfry_amqp_next(connection, nil)
        switch event.kind {
        case BELFRY_AMQP_ACK: book.settle(event.tag, event.multiple != 0, .confirmed)
        case BELFRY_AMQP_NACK: book.settle(event.tag, event.multiple != 0, .refused)
        case BELFRY_AMQP_RETURN:
            let text = "\(event.code) \(RabbitMQ.text(event.text))"
            if let id = returned() { book.giveBack(id, text, messages) }
        case BELFRY_AMQP_CLOSE:
            book.lose("\(event.code) \(RabbitMQ.text(event.text))")
            isBroken = true
        case BELFRY_AMQP_NONE:
            book.lose(RabbitMQ.text(event.status))
            isBroken = true
        default: break
        }
    }

    /// Reads the rest of a message that came back; the id that it carries.
    private func returned() -> String? {
        var message = amqp_message_t()
        let reply = amqp_read_message(connection, RabbitMQ.channel, &message, 0)
        guard reply.reply_type == AMQP_RESPONSE_NORMAL else {
            isBroken = true
            return nil
        }
        defer { amqp_destroy_message(&message) }
        return RabbitMQ.text(message.properties.message_id)
    }

    private static func text(_ reply: amqp_rpc_reply_t) -> String {
        switch reply.reply_type {
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: return RabbitMQ.text(reply.library_error)
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            guard let decoded = reply.reply.decoded else { return "the broker hung up" }
            if reply.reply.id == amqp_method_number_t(AMQP_CONNECTION_CLOSE_METHOD) {
                let close = decoded.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
                return "\(close.reply_code) \(RabbitMQ.text(close.reply_text))"
            }
            let close = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
            return "\(close.reply_code) \(RabbitMQ.text(close.reply_text))"
        default: return "the broker gave no answer"
        }
    }
}

/// Shuts a socket down while another thread waits on it: its call then fails.
final class Cutter: Sendable {
    /// -1: none. Locked while it is used, so that its number is not another file's by then.
    private let socket = Mutex<CInt>(-1)

    func set(_ descriptor: CInt) { socket.withLock { $0 = descriptor } }

    func cut() { socket.withLock { if $0 >= 0 { shutdown($0, CInt(SHUT_RDWR)) } } }
}

/// A broker could not be talked to.
struct RabbitMQFailure: Error {
    /// `unreachable`, `tls` or `login`.
    let step: String
    let message: String

    init(_ step: String, _ message: String) {
        self.step = step
        self.message = message
    }
}

extension timeval {
    init(_ duration: Duration) {
        let (seconds, atto) = duration.components
        self.init()
        tv_sec = time_t(seconds)
        tv_usec = suseconds_t(atto / 1_000_000_000_000)
    }
}
