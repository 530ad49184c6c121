import CRabbitMQ
import Foundation

/// Takes the messages of a queue as they come. Its calls block, and belong to one thread at a time.
package final class RabbitMQConsumer {
    private let connection: amqp_connection_state_t

    /// - Throws: where the broker cannot be talked to, or has no such queue.
    package init(_ broker: RabbitMQProcess, _ name: String) throws {
        guard let connection = amqp_new_connection(),
            let socket = amqp_tcp_socket_new(connection)
        else { throw QueueTrouble.connection }
        self.connection = connection
        guard amqp_socket_open(socket, "127.0.0.1", Int32(broker.port)) == 0,
            belfry_amqp_login(connection, "/", "guest", "guest").reply_type
                == AMQP_RESPONSE_NORMAL,
            amqp_channel_open(connection, 1) != nil
        else { throw QueueTrouble.connection }
        let isConsuming = name.withCString {
            // What was handed out is gone from the queue: the consumer is not what is on trial.
            amqp_basic_consume(
                connection,
                1,
                amqp_cstring_bytes($0),
                amqp_empty_bytes,
                0,
                1,
                0,
                amqp_empty_table
            ) != nil
        }
        guard isConsuming else { throw QueueTrouble.get }
    }

    deinit { _ = amqp_destroy_connection(connection) }

    /// Waits for the next message, a tenth of a second at most; `nil`: none came.
    package func next() throws -> RabbitMQQueue.Message? {
        amqp_maybe_release_buffers(connection)
        var envelope = amqp_envelope_t()
        var limit = timeval(tv_sec: 0, tv_usec: 100_000)
        let reply = amqp_consume_message(connection, &envelope, &limit, 0)
        if reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION,
            reply.library_error == Int32(AMQP_STATUS_TIMEOUT.rawValue)
        {
            return nil
        }
        guard reply.reply_type == AMQP_RESPONSE_NORMAL else { throw QueueTrouble.get }
        defer { amqp_destroy_envelope(&envelope) }
        return RabbitMQQueue.Message(envelope.message)
    }
}
