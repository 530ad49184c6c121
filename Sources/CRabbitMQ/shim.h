#ifndef BELFRY_RABBITMQ_H
#define BELFRY_RABBITMQ_H

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

/// Logs in with a password: `amqp_login` takes a variable number of arguments, which Swift cannot call.
static inline amqp_rpc_reply_t belfry_amqp_login(amqp_connection_state_t connection, const char *host,
                                                 const char *user, const char *password) {
    return amqp_login(connection, host, 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN, user,
                      password);
}

/// What a broker says of published messages.
enum belfry_amqp_event_kind {
    BELFRY_AMQP_ACK,
    BELFRY_AMQP_NACK,
    /// A mandatory message that no queue takes: its acknowledgement follows. The rest of it is to be read.
    BELFRY_AMQP_RETURN,
    /// The broker closes the channel or the connection.
    BELFRY_AMQP_CLOSE,
    /// Something that does not matter here.
    BELFRY_AMQP_OTHER,
    /// No frame: `status` says why.
    BELFRY_AMQP_NONE
};

struct belfry_amqp_event {
    enum belfry_amqp_event_kind kind;
    uint64_t tag;
    int multiple;
    uint16_t code;
    /// Of the frame: valid until the next call.
    amqp_bytes_t text;
    int status;
};

/// Waits for the next thing that the broker says, for so long (0: only looks). A frame is a union of C, which is easier to read here.
static inline struct belfry_amqp_event belfry_amqp_next(amqp_connection_state_t connection,
                                                        const struct timeval *timeout) {
    struct belfry_amqp_event event = {BELFRY_AMQP_OTHER, 0, 0, 0, {0, 0}, 0};
    amqp_frame_t frame;
    amqp_maybe_release_buffers(connection);
    event.status = amqp_simple_wait_frame_noblock(connection, &frame, timeout);
    if (event.status != AMQP_STATUS_OK) {
        event.kind = BELFRY_AMQP_NONE;
        return event;
    }
    if (frame.frame_type != AMQP_FRAME_METHOD) return event;
    const void *decoded = frame.payload.method.decoded;
    switch (frame.payload.method.id) {
    case AMQP_BASIC_ACK_METHOD:
        event.kind = BELFRY_AMQP_ACK;
        event.tag = ((const amqp_basic_ack_t *)decoded)->delivery_tag;
        event.multiple = ((const amqp_basic_ack_t *)decoded)->multiple;
        break;
    case AMQP_BASIC_NACK_METHOD:
        event.kind = BELFRY_AMQP_NACK;
        event.tag = ((const amqp_basic_nack_t *)decoded)->delivery_tag;
        event.multiple = ((const amqp_basic_nack_t *)decoded)->multiple;
        break;
    case AMQP_BASIC_RETURN_METHOD:
        event.kind = BELFRY_AMQP_RETURN;
        event.code = ((const amqp_basic_return_t *)decoded)->reply_code;
        event.text = ((const amqp_basic_return_t *)decoded)->reply_text;
        break;
    case AMQP_CHANNEL_CLOSE_METHOD:
        event.kind = BELFRY_AMQP_CLOSE;
        event.code = ((const amqp_channel_close_t *)decoded)->reply_code;
        event.text = ((const amqp_channel_close_t *)decoded)->reply_text;
        break;
    case AMQP_CONNECTION_CLOSE_METHOD:
        event.kind = BELFRY_AMQP_CLOSE;
        event.code = ((const amqp_connection_close_t *)decoded)->reply_code;
        event.text = ((const amqp_connection_close_t *)decoded)->reply_text;
        break;
    }
    return event;
}

#endif
