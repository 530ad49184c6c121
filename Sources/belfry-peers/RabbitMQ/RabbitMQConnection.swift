import BelfryBench
import CRabbitMQ

/// One connection with one channel in confirm mode. Its calls block.
final class RabbitMQConnection {
    static let queue = "pushes"
    private let connection: amqp_connection_state_t
    /// The tag of the newest message; tags count up from 1.
    private var published: UInt64 = 0

    /// - Throws: ``LoadFailure`` where no broker answers, or it refuses.
    init(port: Int) throws {
        guard let connection = amqp_new_connection() else { throw LoadFailure("no memory") }
        self.connection = connection
        guard let socket = amqp_tcp_socket_new(connection),
            amqp_socket_open(socket, "127.0.0.1", Int32(port)) == accepted
        else {
            throw LoadFailure("RabbitMQ cannot be reached")
        }
        guard
            belfry_amqp_login(connection, "/", "guest", "guest").reply_type == AMQP_RESPONSE_NORMAL,
            amqp_channel_open(connection, 1) != nil, amqp_confirm_select(connection, 1) != nil
        else { throw LoadFailure("RabbitMQ refused the connection") }
    }

    deinit {
        // Closes its socket, too. What the broker makes of that is no longer asked.
        _ = amqp_destroy_connection(connection)
    }

    /// Makes the durable queue, or finds it.
    ///
    /// - Returns: how many messages wait in it.
    @discardableResult
    func declareQueue() throws -> Int {
        let answer = Self.queue.withCString { name in
            amqp_queue_declare(
                connection,
                1,
                amqp_cstring_bytes(name),
                0,
                1,
                0,
                0,
                amqp_empty_table
            )
        }
        guard let answer else { throw LoadFailure("RabbitMQ declared no queue") }
        return Int(answer.pointee.message_count)
    }

    /// Publishes the pushes with these numbers.
    func publish(_ serials: Range<Int>) throws {
        try publish(serials.map { (id: BenchPushes.id($0), body: BenchPushes.payload) })
    }

    /// Publishes persistent messages, and waits until each is confirmed. The id goes into the message's own field for it.
    func publish(_ messages: [(id: [UInt8], body: [UInt8])]) throws {
        guard !messages.isEmpty else { return }
        let first = published + 1
        for message in messages { try publish(message.id, message.body) }
        var open = Set(first...published)
        while !open.isEmpty {
            let event = belfry_amqp_next(connection, nil)
            guard event.kind == BELFRY_AMQP_ACK else {
                throw LoadFailure("RabbitMQ did not confirm a message")
            }
            if event.multiple != 0 {
                open = open.filter { $0 > event.tag }
            } else {
                open.remove(event.tag)
            }
        }
    }

    private func publish(_ id: [UInt8], _ body: [UInt8]) throws {
        var (id, body) = (id, body)
        let status = Self.queue.withCString { name in
            id.withUnsafeMutableBytes { id in
                body.withUnsafeMutableBytes { body in
                    var properties = amqp_basic_properties_t()
                    properties._flags =
                        UInt32(AMQP_BASIC_DELIVERY_MODE_FLAG) | UInt32(AMQP_BASIC_MESSAGE_ID_FLAG)
                    properties.delivery_mode = 2
                    properties.message_id = bytes(id)
                    return amqp_basic_publish(
                        connection,
                        1,
                        amqp_empty_bytes,
                        amqp_cstring_bytes(name),
                        0,
                        0,
                        &properties,
                        bytes(body)
                    )
                }
            }
        }
        guard status == accepted else { throw LoadFailure("RabbitMQ took no message: \(status)") }
        published += 1
    }

    private func bytes(_ buffer: UnsafeMutableRawBufferPointer) -> amqp_bytes_t {
        amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress)
    }
}

/// `AMQP_STATUS_OK`.
private let accepted: Int32 = 0
