import BelfryCore

/// A batch, packed anew into one frame for each lane that it concerns: done by whoever calls, so that little is left to the lanes' threads.
struct SplitBatch {
    /// The part of each lane; `nil` where there is none.
    private(set) var parts: [ScheduleCall?]
    let others: OtherLanes

    init(_ batch: PushBatch, key: HashKey, lanes: Int) {
        var ids = OtherLanes(count: batch.count)
        var bytes = [Int](repeating: 0, count: lanes)
        var counts = bytes
        Self.forEach(in: batch) { record, length in
            let lane = key.lane(of: record, among: lanes)
            let header = record.loadUnaligned(as: PushHeader.self)
            ids.append(key.hash(header.id(of: record)), lane: lane)
            bytes[lane] += length
            counts[lane] += 1
        }
        var packers = (0..<lanes).map { Packer(room: bytes[$0], count: counts[$0]) }
        var number = 0
        Self.forEach(in: batch) { record, length in
            packers[Int(ids.lanes[number])]?.add(record, length, ids.hashes[number])
            number += 1
        }
        parts = packers.map { $0?.call() }
        others = ids
    }

    /// Answers of the parts, in the order of the batch; `nil` for a part that has failed.
    func ordered<Outcome>(_ outcomes: [[Outcome]?]) -> [Outcome?] {
        var next = [Int](repeating: 0, count: outcomes.count)
        return others.lanes.map { lane in
            defer { next[Int(lane)] += 1 }
            return outcomes[Int(lane)]?[next[Int(lane)]]
        }
    }

    static func forEach(in batch: PushBatch, _ body: (UnsafeRawPointer, Int) -> Void) {
        batch.bytes.withUnsafeBytes { buffer in
            guard var record = buffer.baseAddress else { return }
            for _ in 0..<batch.count {
                let length = Int(record.loadUnaligned(as: PushHeader.self).length)
                body(record, length)
                record += length
            }
        }
    }
}

/// One part, while records are copied into its frame.
private struct Packer {
    private let frame: FrameBuffer
    private var length = 0
    private var hashes: [PushHash] = []
    private var mayMerge = false

    init?(room: Int, count: Int) {
        guard count > 0 else { return nil }
        frame = FrameBuffer(room: room + count)
        hashes.reserveCapacity(count)
    }

    mutating func add(_ record: UnsafeRawPointer, _ count: Int, _ hash: PushHash) {
        (frame.body + length).copyMemory(from: record, byteCount: count)
        length += count
        hashes.append(hash)
        if record.loadUnaligned(as: PushHeader.self).mergeMode != 0 { mayMerge = true }
    }

    func call() -> ScheduleCall {
        frame.add(length)
        return ScheduleCall(frame: frame, hashes: hashes, mayMerge: mayMerge)
    }
}

/// The ids of a call, and the lane that each is placed in: what every other lane is asked about.
struct OtherLanes: Sendable {
    private(set) var hashes: [PushHash] = []
    private(set) var lanes: [UInt8] = []

    init(count: Int) {
        hashes.reserveCapacity(count)
        lanes.reserveCapacity(count)
    }

    mutating func append(_ hash: PushHash, lane: Int) {
        hashes.append(hash)
        lanes.append(UInt8(lane))
    }

    /// Whether a lane has to be asked.
    func concerns(_ lane: Int) -> Bool { lanes.contains { Int($0) != lane } }
}

/// What a lane holds of ids that a call has placed in other lanes.
struct HeldElsewhere: Sendable {
    /// Indices of the call's ids.
    var ids: [Int] = []
    /// What the lane has accepted later than its answer has this acceptance number, or a higher one.
    var before: UInt64 = 0
    /// Runs from this number on were written later.
    var nextRun: UInt32 = 0
    /// The number is worth nothing once the lane has had further failures.
    var failures = 0

    static var isUnknown: TimelineError {
        TimelineError(.io, "an older version could not be ended after a failure of the disk")
    }
}
