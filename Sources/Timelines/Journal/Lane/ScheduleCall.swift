import BelfryCore

/// A call to `schedule`, made ready by the caller: packed into its frame, checksummed and hashed, so that little is left to the lane's one thread.
struct ScheduleCall: Sendable {
    let frame: FrameBuffer
    let count: Int
    /// Of every id.
    let hashes: [PushHash]
    /// One of them carries a merge rule.
    let mayMerge: Bool

    /// - Parameter frame: with the records in place.
    init(frame: FrameBuffer, hashes: [PushHash], mayMerge: Bool) {
        self.frame = frame
        count = hashes.count
        self.hashes = hashes
        self.mayMerge = mayMerge
    }

    init(_ batch: PushBatch, key: HashKey) {
        let frame = FrameBuffer(room: batch.bytes.count + batch.count)
        self.frame = frame
        count = batch.count
        batch.bytes.withUnsafeBytes {
            if let start = $0.baseAddress {
                frame.body.copyMemory(from: start, byteCount: $0.count)
            }
        }
        frame.add(batch.bytes.count)
        (hashes, mayMerge) = Self.hashes(frame.body, batch.count, key)
    }

    /// Hashes the ids of packed pushes.
    static func hashes(_ records: UnsafeRawPointer, _ count: Int, _ key: HashKey)
        -> (hashes: [PushHash], mayMerge: Bool)
    {
        var hashes: [PushHash] = []
        hashes.reserveCapacity(count)
        var mayMerge = false
        var record = records
        for _ in 0..<count {
            let header = record.loadUnaligned(as: PushHeader.self)
            hashes.append(key.hash(header.id(of: record)))
            if header.mergeMode != 0 { mayMerge = true }
            record += Int(header.length)
        }
        return (hashes, mayMerge)
    }
}

extension PushHeader {
    /// The id of the record that begins with this head.
    @inline(__always)
    func id(of record: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: record + PushHeader.bytes, count: Int(idLength))
    }
}
