import BelfryCore
import BelfryRedisClient

/// What one shard has lent in one step, as `claim.lua` tells it.
struct LentBatch {
    /// Names it, together with the shard: a fencing token's number.
    var generation: Int
    /// The sequence of each push.
    var sequences: [Int]
    private var records: [StoredRecord]
    /// Contents that were collected, by the place of the push that collects them.
    private var collected: [Int: [RedisReply]] = [:]

    /// - Throws: ``TimelineError`` with `corrupt`.
    init(_ reply: RedisReply) throws(TimelineError) {
        guard let parts = reply.elements else { throw StoredPush.damaged }
        guard !parts.isEmpty else {
            (generation, sequences, records) = (0, [], [])
            return
        }
        guard parts.count == 4, let generation = parts[0].number, let held = parts[1].bytes,
            let words = parts[2].elements, let collected = parts[3].elements,
            held.count == 6 * words.count
        else { throw StoredPush.damaged }
        self.generation = generation
        sequences = stride(from: 0, to: held.count, by: 6).map { start in
            held[start..<start + 6].reduce(0) { $0 << 8 | Int($1) }
        }
        records = []
        records.reserveCapacity(words.count)
        for word in words { records.append(try StoredRecord(word.bytes ?? [])) }
        for index in stride(from: 0, to: collected.count - 1, by: 2) {
            guard let place = collected[index].number else { continue }
            self.collected[place - 1] = collected[index + 1].elements ?? []
        }
    }

    /// Whether the push at a place merges with others.
    func isGroup(_ place: Int) -> Bool { records[place].isGroup }

    func claims(of shard: Int, until leaseEnds: Timestamp) throws(TimelineError) -> [Claim] {
        var claims: [Claim] = []
        claims.reserveCapacity(records.count)
        for (place, record) in records.enumerated() {
            let push = try record.push()
            claims.append(
                Claim(
                    token: ClaimToken(
                        id: push.id,
                        generation: Generation(shard: shard, number: generation).value
                    ),
                    push: push,
                    sequence: UInt64(sequences[place]),
                    attempt: record.attempt,
                    asked: record.asked,
                    accepted: record.accepted,
                    leaseEnds: leaseEnds,
                    collected: try RedisTimeline.payloads(collected[place] ?? [])
                )
            )
        }
        return claims
    }
}

/// A record as `shard.lua` keeps it.
private struct StoredRecord {
    var due: Timestamp
    var accepted: Timestamp
    var asked: Timestamp
    var attempt: Int
    var isGroup: Bool
    private var bytes: [UInt8]
    private var content: Int

    init(_ bytes: [UInt8]) throws(TimelineError) {
        guard bytes.count > 15 else { throw StoredPush.damaged }
        self.bytes = bytes
        due = Self.time(bytes[0..<6])
        accepted = Self.time(bytes[6..<12])
        attempt = Int(bytes[12]) | Int(bytes[13]) << 8
        isGroup = bytes[14] & 128 != 0
        content = isGroup ? 15 + PushDigest.count : 15
        asked = due
        guard bytes[14] & 64 != 0 else { return }
        guard bytes.count > content + 6 else { throw StoredPush.damaged }
        asked = Self.time(bytes[content..<content + 6])
        content += 6
    }

    func push() throws(TimelineError) -> Push {
        try StoredPush.push(Array(bytes[content...]), due: due)
    }

    /// Six bytes, signed, little endian.
    private static func time(_ bytes: ArraySlice<UInt8>) -> Timestamp {
        let value = bytes.reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return Timestamp(milliseconds: (value << 16) >> 16)
    }
}
