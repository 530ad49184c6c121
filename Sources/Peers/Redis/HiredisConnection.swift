import BelfryBench
import CHiredis

/// A connection to Redis as a program of its own would hold it: pipelined, blocking.
final class HiredisConnection {
    private let context: UnsafeMutablePointer<redisContext>

    /// - Throws: ``LoadFailure`` where no server answers.
    init(port: Int) throws {
        guard let context = redisConnect("127.0.0.1", Int32(port)) else {
            throw LoadFailure("no memory")
        }
        self.context = context
        guard context.pointee.err == 0 else { throw failure() }
    }

    deinit { redisFree(context) }

    /// Writes a command down; it goes out with the next ``reply()``.
    func append(_ words: [[UInt8]]) throws {
        let bytes = words.flatMap(\.self)
        let lengths = words.map(\.count)
        let status = bytes.withUnsafeBufferPointer { bytes in
            var at = 0
            // Of an empty text nothing is read, but the pointer must not be null.
            var places: [UnsafePointer<CChar>?] = lengths.map { length in
                defer { at += length }
                guard let base = bytes.baseAddress else { return nil }
                return UnsafeRawPointer(base + at).assumingMemoryBound(to: CChar.self)
            }
            return redisAppendCommandArgv(context, Int32(words.count), &places, lengths)
        }
        guard status == REDIS_OK else { throw failure() }
    }

    /// Sends what was written down, and waits for the next answer.
    ///
    /// - Throws: ``LoadFailure`` with the server's words.
    func reply() throws -> PeerReply {
        var reply: UnsafeMutableRawPointer?
        guard redisGetReply(context, &reply) == REDIS_OK, let reply else { throw failure() }
        defer { freeReplyObject(reply) }
        return try PeerReply(reply.assumingMemoryBound(to: redisReply.self).pointee)
    }

    /// One command, one round trip.
    func ask(_ words: [[UInt8]]) throws -> PeerReply {
        try append(words)
        return try reply()
    }

    private func failure() -> LoadFailure {
        let error = context.pointee.err
        return LoadFailure("Redis cannot be reached: error \(error) of hiredis")
    }
}

/// What Redis says.
enum PeerReply {
    case integer(Int)
    case text([UInt8])
    case list([PeerReply])
    case none

    /// - Throws: ``LoadFailure`` with an error of the server.
    fileprivate init(_ reply: redisReply) throws {
        switch reply.type {
        case REDIS_REPLY_INTEGER: self = .integer(Int(reply.integer))
        case REDIS_REPLY_NIL: self = .none
        case REDIS_REPLY_ARRAY:
            self = .list(
                try (0..<reply.elements).compactMap {
                    try reply.element[$0].map { try PeerReply($0.pointee) }
                }
            )
        default:
            let bytes = UnsafeRawBufferPointer(start: reply.str, count: reply.len)
            guard reply.type != REDIS_REPLY_ERROR else {
                throw LoadFailure("Redis answered: \(String(decoding: bytes, as: UTF8.self))")
            }
            self = .text(Array(bytes))
        }
    }

    var number: Int? { if case .integer(let number) = self { number } else { nil } }
    var bytes: [UInt8]? { if case .text(let bytes) = self { bytes } else { nil } }
    var elements: [PeerReply] { if case .list(let elements) = self { elements } else { [] } }
}
