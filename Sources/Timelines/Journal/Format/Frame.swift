import BelfryCore

/// The head of one journal record. A frame is everything that one call changed, so that all of it is replayed, or none.
///
///     offset size
///       0     4   length of the body
///       4     4   CRC-32C of the body, then of this head from offset 8 on
///       8     2   magic
///      10     1   kind
///      11     1   1 if outcomes follow the pushes (kind `schedule`)
///      12     4   count of pushes, ids or settlements
///      16     8   the clock when it was decided: a replay decides by this time again
///      24     8   the sequence number that the frame's first push was given
///      32     8   offset in the segment before which everything had been synced when this was written
///      40     …   body
///
/// Bodies: `schedule` is ``PushBatch/bytes`` as they are, and one byte of outcome for each push if one of them may merge (whether
/// it did depended on claims, which are not journalled). `cancel` is a list of {u16 length, id}. `settle` is a list of ``SettleEntry``.
struct Frame: BitwiseCopyable {
    static let bytes = 40
    static let magic: UInt16 = 0xbe1f
    /// A batch of pushes and its outcomes is the largest body there can be; a settlement's successors are bounded by the same limit.
    static let bodyLimit = 2 * PushLimits.batchBytes

    enum Kind: UInt8 {
        case schedule = 1
        case cancel = 2
        case settle = 3
    }

    var length: UInt32 = 0
    var crc: UInt32 = 0
    var magic = Frame.magic
    var kind: UInt8
    var hasOutcomes: UInt8 = 0
    var count: UInt32
    var now: Int64
    var sequence: UInt64
    var synced: UInt64

    init(_ kind: Kind, count: Int, now: Int64, sequence: UInt64, synced: Int) {
        self.kind = kind.rawValue
        self.count = UInt32(count)
        self.now = now
        self.sequence = sequence
        self.synced = UInt64(synced)
    }

    /// Reads the head at `offset` and verifies the whole frame; `nil` if no whole frame lies there.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int, verifying: Bool = true) {
        guard offset >= 0, bytes.count - offset >= Frame.bytes else { return nil }
        self = bytes.loadUnaligned(fromByteOffset: offset, as: Frame.self)
        guard magic == Frame.magic, Kind(rawValue: kind) != nil,
            Int(length) <= min(Frame.bodyLimit, bytes.count - offset - Frame.bytes)
        else { return nil }
        guard verifying else { return }
        let end = offset + Frame.bytes + Int(length)
        let body = UnsafeRawBufferPointer(rebasing: bytes[offset + Frame.bytes..<end])
        let head = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Frame.bytes])
        guard Frame.crc(head: head, afterBody: Checksum.crc(body)) == crc else { return nil }
    }

    /// The body comes first, because it is there before the head is known.
    static func crc(head: UnsafeRawBufferPointer, afterBody crc: UInt32) -> UInt32 {
        Checksum.crc(UnsafeRawBufferPointer(rebasing: head[8...]), from: crc)
    }
}

/// What a settlement changed, as the journal keeps it: the effect, not the request, because the request's worth depended on claims.
///
///     offset size
///       0     1   effect
///       1     1   reserved
///       2     2   id length
///       4     4   bytes of successors
///       8     4   count of successors
///      12     4   attempt (for `retry`)
///      16     8   due (for `retry`)
///      24     …   id, successors packed, one byte of outcome for each successor
struct SettleEntry: BitwiseCopyable {
    static let bytes = 24

    enum Effect: UInt8 {
        /// Only the successors: a newer version had taken the push's place.
        case none = 0
        case remove = 1
        case retry = 2
    }

    var effect: UInt8
    var reserved: UInt8 = 0
    var idLength: UInt16
    var successorBytes: UInt32
    var successors: UInt32
    var attempt: UInt32
    var due: Int64
}
