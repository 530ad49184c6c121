import CRabbitMQ

/// A durable queue, as a consumer sees it. Its calls block.
package final class RabbitMQQueue {
    private let name: String
    private let connection: amqp_connection_state_t

    /// - Throws: where the broker cannot be talked to.
    package init(_ broker: RabbitMQProcess, _ name: String) throws {
        self.name = name
        guard let connection = amqp_new_connection(),
            let socket = amqp_tcp_socket_new(connection)
        else { throw QueueTrouble.connection }
        self.connection = connection
        guard amqp_socket_open(socket, "127.0.0.1", Int32(broker.port)) == 0,
            belfry_amqp_login(connection, "/", "guest", "guest").reply_type
                == AMQP_RESPONSE_NORMAL,
            amqp_channel_open(connection, 1) != nil
        else { throw QueueTrouble.connection }
    }

    deinit { _ = amqp_destroy_connection(connection) }

    /// Makes the queue, or finds it.
    package func declare() throws {
        let made = name.withCString {
            amqp_queue_declare(
                connection,
                1,
                amqp_cstring_bytes($0),
                0,
                1,
                0,
                0,
                amqp_empty_table
            )
        }
        guard made != nil else { throw QueueTrouble.declare }
    }

    /// Takes everything that waits.
    package func take() throws -> [Message] {
        var messages: [Message] = []
        while true {
            let reply = name.withCString {
                amqp_basic_get(connection, 1, amqp_cstring_bytes($0), 1)
            }
            guard reply.reply_type == AMQP_RESPONSE_NORMAL else { throw QueueTrouble.get }
            guard reply.reply.id == amqp_method_number_t(AMQP_BASIC_GET_OK_METHOD)
            else {
                return messages
            }
            var message = amqp_message_t()
            guard
                amqp_read_message(connection, 1, &message, 0).reply_type == AMQP_RESPONSE_NORMAL
            else { throw QueueTrouble.get }
            messages.append(Message(message))
            amqp_destroy_message(&message)
        }
    }

    package struct Message: Sendable {
        package var id: String
        package var body: String
        package var isPersistent: Bool
        package var headers: [String: String] = [:]

        init(_ message: amqp_message_t) {
            id = Self.text(message.properties.message_id)
            body = Self.text(message.body)
            isPersistent = message.properties.delivery_mode == 2
            let table = message.properties.headers
            for entry in UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries)) {
                headers[Self.text(entry.key)] =
                    entry.value.kind == UInt8(AMQP_FIELD_KIND_I64.rawValue)
                    ? String(entry.value.value.i64) : Self.text(entry.value.value.bytes)
            }
        }

        private static func text(_ bytes: amqp_bytes_t) -> String {
            String(
                decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len),
                as: UTF8.self
            )
        }
    }
}

enum QueueTrouble: Error { case connection, declare, get }
