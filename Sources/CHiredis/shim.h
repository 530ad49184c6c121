#ifndef BELFRY_HIREDIS_H
#define BELFRY_HIREDIS_H

#include <hiredis/hiredis.h>

/// Where a reply goes, part after part, as the reader comes upon it. An array is announced with its count, its elements follow. The bytes
/// of a text are valid during the call only.
typedef struct belfry_reply_sink {
    void *context;
    void (*text)(void *context, int type, const char *bytes, size_t count);
    void (*array)(void *context, long long count);
    void (*integer)(void *context, long long value);
    void (*nil)(void *context);
} belfry_reply_sink;

// The reader links what these return; it only must not be null. The sink builds the reply itself, so that nothing is copied twice.

static inline void *belfry_redis_text(const redisReadTask *task, char *bytes, size_t count) {
    belfry_reply_sink *sink = (belfry_reply_sink *)task->privdata;
    sink->text(sink->context, task->type, bytes, count);
    return sink;
}

// The type of the count differs between versions of hiredis.
#if defined(HIREDIS_MAJOR) && HIREDIS_MAJOR >= 1
static inline void *belfry_redis_array(const redisReadTask *task, size_t count) {
#else
static inline void *belfry_redis_array(const redisReadTask *task, int count) {
#endif
    belfry_reply_sink *sink = (belfry_reply_sink *)task->privdata;
    sink->array(sink->context, (long long)count);
    return sink;
}

static inline void *belfry_redis_integer(const redisReadTask *task, long long value) {
    belfry_reply_sink *sink = (belfry_reply_sink *)task->privdata;
    sink->integer(sink->context, value);
    return sink;
}

static inline void *belfry_redis_nil(const redisReadTask *task) {
    belfry_reply_sink *sink = (belfry_reply_sink *)task->privdata;
    sink->nil(sink->context);
    return sink;
}

static inline void belfry_redis_free(void *reply) { (void)reply; }

/// A reader that tells `sink`, which must outlive it.
static inline redisReader *belfry_redis_reader(belfry_reply_sink *sink) {
    static redisReplyObjectFunctions functions;
    functions.createString = belfry_redis_text;
    functions.createArray = belfry_redis_array;
    functions.createInteger = belfry_redis_integer;
    functions.createNil = belfry_redis_nil;
    functions.freeObject = belfry_redis_free;
    redisReader *reader = redisReaderCreateWithFunctions(&functions);
    if (reader) reader->privdata = sink;
    return reader;
}

#endif
