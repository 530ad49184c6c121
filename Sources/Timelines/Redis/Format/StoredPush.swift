import BelfryCore
import Crypto

/// Names a push in an index: the first 10 bytes of its id's SHA-256. 80 bits: among a thousand million pushes two ids share one with a
/// probability below 10^-6.
struct PushDigest: Sendable, Hashable {
    static let count = 10
    let bytes: [UInt8]

    init(_ id: UnsafeRawBufferPointer) { bytes = Array(SHA256.hash(data: id).prefix(Self.count)) }

    init(_ id: PushID) {
        var text = id.text
        self = text.withUTF8 { PushDigest(UnsafeRawBufferPointer($0)) }
    }

    /// Reads one where it begins; what follows is ignored.
    init(in bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes.prefix(Self.count)) }

    /// Which shard's directory says where the push is. Other bytes than those that choose a bucket.
    func directory(among shards: Int) -> Int {
        let number = bytes[6..<10].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return Int(number) % shards
    }
}

extension PushRecord {
    func digest(in bytes: borrowing Span<UInt8>) -> PushDigest {
        bytes.withUnsafeBytes { PushDigest(UnsafeRawBufferPointer(rebasing: $0[id])) }
    }

    /// The shard of the recipient: FNV-1a of account and person, which never changes.
    func shard(in bytes: borrowing Span<UInt8>, among shards: Int) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        bytes.withUnsafeBytes { raw in
            for byte in raw[account] + [0] + raw[person] {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        return Int((hash >> 32 ^ hash) % UInt64(shards))
    }

    /// What the scripts take as one push:
    ///
    ///     due (6), band (1), merge mode (1), grace (4), maxWait (4), digest of the id (10), digest of recipient and merge key (10, if it
    ///     merges), content
    ///
    /// The content: id with its length (2) and account with its length (1), which scripts read; then flags (1: expires, merge mode, priority), person and channel with
    /// their lengths (1 each), expiry (6), merge rule with its key (9 and its length) where the flags say so, and the payload.
    func stored(in bytes: borrowing Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(length + 48)
        out.append(number: StoredPush.clamp(header.due), 6)
        out.append(header.priority)
        out.append(header.mergeMode)
        out.append(number: Int64(header.grace), 4)
        out.append(number: Int64(header.maxWait), 4)
        bytes.withUnsafeBytes { raw in
            out += PushDigest(UnsafeRawBufferPointer(rebasing: raw[id])).bytes
            if header.mergeMode != 0 { out += mergeDigest(raw) }
            out.append(number: Int64(header.idLength), 2)
            out += raw[id]
            out.append(header.accountLength)
            out += raw[account]
            out.append((expires == nil ? 0 : 1) | header.mergeMode << 1 | header.priority << 3)
            out.append(header.personLength)
            out += raw[person]
            out.append(header.channelLength)
            out += raw[channel]
            if expires != nil { out.append(number: StoredPush.clamp(header.expires), 6) }
            if header.mergeMode != 0 {
                out.append(number: Int64(header.grace), 4)
                out.append(number: Int64(header.maxWait), 4)
                out.append(header.mergeKeyLength)
                out += raw[mergeKey]
            }
            out += raw[payload]
        }
        return out
    }

    /// Names the group that a push merges with.
    func mergeDigest(in bytes: borrowing Span<UInt8>) -> [UInt8] {
        bytes.withUnsafeBytes { mergeDigest($0) }
    }

    /// What a script reads of a push and what none reads: ``stored(in:)`` from there on.
    func content(in bytes: borrowing Span<UInt8>) -> [UInt8] {
        let head = 16 + PushDigest.count * (header.mergeMode == 0 ? 1 : 2)
        return Array(stored(in: bytes)[head...])
    }

    private func mergeDigest(_ raw: UnsafeRawBufferPointer) -> [UInt8] {
        // Lengths first, so that no two lists of parts look alike.
        var text: [UInt8] = [header.accountLength, header.personLength]
        text += raw[account]
        text += raw[person]
        text += raw[mergeKey]
        return Array(SHA256.hash(data: text).prefix(PushDigest.count))
    }
}

/// What a record holds besides the numbers that the scripts keep.
enum StoredPush {
    static let damaged = TimelineError(.corrupt, "a record in Redis cannot be read")

    /// Times are kept in 48 bits: the years -2490 to 6429. What lies beyond is as far in the past, or refused anyway.
    static func clamp(_ milliseconds: Int64) -> Int64 {
        min(max(milliseconds, -(1 << 47)), 1 << 47 - 1)
    }

    /// Reads a content back.
    ///
    /// - Throws: ``TimelineError`` with `corrupt`.
    static func push(_ content: [UInt8], due: Timestamp) throws(TimelineError) -> Push {
        var reader = ContentReader(content)
        let id = try reader.text(Int(reader.number(2)))
        let account = try reader.text(Int(reader.number(1)))
        let flags = try reader.number(1)
        let person = try reader.text(Int(reader.number(1)))
        let channel = try reader.text(Int(reader.number(1)))
        let expires = flags & 1 == 1 ? Timestamp(milliseconds: try reader.number(6)) : nil
        var merge: MergeRule?
        if let mode = MergeRule.Mode(rawValue: UInt8(flags >> 1 & 3)) {
            let grace = Duration.milliseconds(try reader.number(4))
            let wait = Duration.milliseconds(try reader.number(4))
            let key = try reader.text(Int(reader.number(1)))
            merge = MergeRule(key: key, grace: grace, maxWait: wait, mode: mode)
        }
        guard let priority = Priority(rawValue: UInt8(flags >> 3 & 3)) else {
            throw StoredPush.damaged
        }
        return Push(
            id: PushID(id),
            recipient: Recipient(account: account, person: person),
            due: due,
            expires: expires,
            priority: priority,
            channel: channel,
            merge: merge,
            payload: reader.rest
        )
    }
}

/// Reads the parts of a content in order.
private struct ContentReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var rest: [UInt8] { Array(bytes[at...]) }

    /// Little endian; six bytes are signed.
    mutating func number(_ count: Int) throws(TimelineError) -> Int64 {
        let part = try take(count)
        let value = part.reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return count == 6 ? (value << 16) >> 16 : value
    }

    mutating func text(_ count: Int) throws(TimelineError) -> String {
        String(decoding: try take(count), as: UTF8.self)
    }

    private mutating func take(_ count: Int) throws(TimelineError) -> ArraySlice<UInt8> {
        guard at + count <= bytes.count else { throw StoredPush.damaged }
        defer { at += count }
        return bytes[at..<at + count]
    }
}

extension [UInt8] {
    /// Appends the low bytes of a number, little endian.
    mutating func append(number: Int64, _ count: Int) {
        for index in 0..<count { append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }
}
