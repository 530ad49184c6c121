import CHiredis

/// Cuts what a server sends into replies: hiredis' reader, which tells a ``ReplyBuilder`` what it reads.
///
/// For one connection, on its event loop; the reader is freed with it.
final class ReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private let sink: UnsafeMutablePointer<belfry_reply_sink>
    private let builder = ReplyBuilder()

    init() {
        sink = .allocate(capacity: 1)
        sink.initialize(to: builder.sink)
        guard let reader = belfry_redis_reader(sink) else { fatalError("no memory") }
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
        sink.deallocate()
    }

    /// Takes bytes as they came.
    ///
    /// - Throws: ``RedisFailure`` with `garbled`; the reader is of no use any more.
    func feed(_ bytes: UnsafeRawBufferPointer) throws(RedisFailure) {
        let start = bytes.bindMemory(to: CChar.self).baseAddress
        guard redisReaderFeed(reader, start, bytes.count) == REDIS_OK else { throw failure }
    }

    /// The next whole reply; `nil` where more bytes are needed.
    func next() throws(RedisFailure) -> RedisReply? {
        var done: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &done) == REDIS_OK else { throw failure }
        return done == nil ? nil : builder.take()
    }

    private var failure: RedisFailure {
        let text = withUnsafeBytes(of: reader.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return RedisFailure(.garbled, text)
    }
}

/// Builds one reply from its parts: depth first, as the reader comes upon them.
private final class ReplyBuilder {
    private var reply: RedisReply?
    /// Arrays that are not whole yet, the outermost first, and how many elements each lacks.
    private var open: [(elements: [RedisReply], missing: Int)] = []

    func take() -> RedisReply? {
        defer { reply = nil }
        return reply
    }

    /// Where the reader tells: this builder, which must outlive it.
    var sink: belfry_reply_sink {
        belfry_reply_sink(
            context: Unmanaged.passUnretained(self).toOpaque(),
            text: { context, type, bytes, count in
                ReplyBuilder.at(context).text(
                    type,
                    UnsafeRawBufferPointer(start: bytes, count: count)
                )
            },
            array: { context, count in ReplyBuilder.at(context).array(Int(count)) },
            integer: { context, value in ReplyBuilder.at(context).add(.integer(Int(value))) },
            nil: { context in ReplyBuilder.at(context).add(.none) }
        )
    }

    private static func at(_ context: UnsafeMutableRawPointer?) -> ReplyBuilder {
        guard let context else { preconditionFailure("a reader without its builder") }
        return Unmanaged<ReplyBuilder>.fromOpaque(context).takeUnretainedValue()
    }

    private func text(_ type: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard type == REDIS_REPLY_ERROR else { return add(.text(Array(bytes))) }
        add(.error(RedisFailure(line: String(decoding: bytes, as: UTF8.self))))
    }

    private func array(_ count: Int) {
        guard count > 0 else { return add(.array([])) }
        var elements: [RedisReply] = []
        elements.reserveCapacity(count)
        open.append((elements, count))
    }

    private func add(_ part: RedisReply) {
        guard !open.isEmpty else {
            reply = part
            return
        }
        open[open.count - 1].elements.append(part)
        open[open.count - 1].missing -= 1
        guard open[open.count - 1].missing == 0 else { return }
        add(.array(open.removeLast().elements))
    }
}
