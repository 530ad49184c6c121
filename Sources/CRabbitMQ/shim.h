#ifndef BELFRY_RABBITMQ_H
#define BELFRY_RABBITMQ_H

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

/// Logs in with a password: `amqp_login` takes a variable number of arguments, which Swift cannot call. Returns whether it was accepted.
static inline int belfry_amqp_login(amqp_connection_state_t connection, const char *user,
                                    const char *password) {
    amqp_rpc_reply_t reply = amqp_login(connection, "/", 0, AMQP_DEFAULT_FRAME_SIZE, 0,
                                        AMQP_SASL_METHOD_PLAIN, user, password);
    return reply.reply_type == AMQP_RESPONSE_NORMAL;
}

/// Waits for the next confirm. Returns its delivery tag, with `*multiple` set where all before it are confirmed, too; 0 where something
/// else came (a refusal, an error). The frame is a union of C, which is easier to read here.
static inline uint64_t belfry_amqp_confirm(amqp_connection_state_t connection, int *multiple) {
    amqp_frame_t frame;
    amqp_maybe_release_buffers(connection);
    if (amqp_simple_wait_frame(connection, &frame) != AMQP_STATUS_OK) return 0;
    if (frame.frame_type != AMQP_FRAME_METHOD) return 0;
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) return 0;
    const amqp_basic_ack_t *ack = (const amqp_basic_ack_t *)frame.payload.method.decoded;
    *multiple = ack->multiple;
    return ack->delivery_tag;
}

#endif
