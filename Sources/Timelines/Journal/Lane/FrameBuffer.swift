import BelfryCore
import Synchronization

/// The memory of one journal frame: made by whoever calls, finished by the lane, written by the disk thread.
///
/// Unchecked: it is handed on, never shared. Who schedules fills in the body before the lane has it; the lane fills in the rest before the
/// disk thread has it; from then on it is only read.
final class FrameBuffer: @unchecked Sendable {
    let start: UnsafeMutableRawPointer
    private let capacity: Int
    /// Of the body, bytes.
    private(set) var length = 0
    /// Of the body.
    private var bodyCRC: UInt32 = 0

    /// - Parameter room: for the body, bytes.
    init(room: Int) {
        let needed = Frame.bytes + room
        if needed > FrameMemory.smallBytes, needed <= FrameMemory.spareBytes {
            capacity = FrameMemory.spareBytes
            start = FrameMemory.take()
        } else {
            capacity = needed
            start = .allocate(byteCount: needed, alignment: 16)
        }
    }

    deinit {
        if capacity == FrameMemory.spareBytes {
            FrameMemory.giveBack(start)
        } else {
            start.deallocate()
        }
    }

    var body: UnsafeMutableRawPointer { start + Frame.bytes }

    /// The whole frame.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: Frame.bytes + length)
    }

    /// Says that so many bytes of the body are in place, behind those that were. So a caller can do most of the work before the lane adds its part.
    func add(_ count: Int) {
        bodyCRC = Checksum.crc(
            UnsafeRawBufferPointer(start: body + length, count: count),
            from: bodyCRC
        )
        length += count
    }

    /// Writes the head: the frame is whole then.
    func seal(_ frame: Frame) {
        var frame = frame
        frame.length = UInt32(length)
        frame.crc = withUnsafeBytes(of: frame) { Frame.crc(head: $0, afterBody: bodyCRC) }
        start.storeBytes(of: frame, as: Frame.self)
    }
}

/// Memory for frames of usual size, used again and again: taking it fresh from the system costs a page fault for every 4 KiB.
private enum FrameMemory {
    static let spareBytes = 1 << 20
    /// Smaller ones come from the allocator, which keeps such pieces itself.
    static let smallBytes = 32 << 10
    private static let limit = 32
    private static let spares = Mutex<[Spare]>([])

    /// Unchecked: it is in the list or with one owner, never both.
    private struct Spare: @unchecked Sendable {
        var start: UnsafeMutableRawPointer
    }

    static func take() -> UnsafeMutableRawPointer {
        let spare = spares.withLock { $0.popLast() }
        return spare?.start ?? .allocate(byteCount: spareBytes, alignment: 16)
    }

    static func giveBack(_ start: UnsafeMutableRawPointer) {
        let spare = Spare(start: start)
        let isKept = spares.withLock { spares in
            if spares.count < limit { spares.append(spare) }
            return spares.last?.start == spare.start
        }
        if !isKept { start.deallocate() }
    }
}
