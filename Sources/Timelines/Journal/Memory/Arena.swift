/// The memory that the packed records of near pushes lie in: large chunks, filled from front to back, each given back when nothing in it is needed.
///
/// Chunks never move, so that another thread may write one while the lane goes on.
struct Arena: ~Copyable {
    private struct Chunk {
        var base: UnsafeMutableRawPointer?
        var capacity = 0
        var used = 0
        /// Records in it that are needed, plus writes under way.
        var users = 0
    }

    static let chunkBytes = 1 << 20
    /// Empty chunks that are kept: taking a fresh one from the system costs a page fault for every 4 KiB.
    private static let spares = 32

    private var chunks: [Chunk] = []
    private var freeNumbers: [UInt32] = []
    private var spareMemory: [UnsafeMutableRawPointer] = []
    /// The chunk that is being filled.
    private var current: UInt32?
    /// Bytes of all chunks in use.
    private(set) var memory = 0

    deinit {
        for chunk in chunks { chunk.base?.deallocate() }
        for base in spareMemory { base.deallocate() }
    }

    /// Takes `count` bytes, which nobody uses yet: see ``retain(_:)``.
    @inline(__always)
    mutating func allocate(_ count: Int) -> RecordPlace {
        if let current {
            let used = chunks[Int(current)].used
            if chunks[Int(current)].capacity - used >= count {
                chunks[Int(current)].used = used + count
                return RecordPlace(chunk: current, offset: UInt32(used))
            }
        }
        return begin(count)
    }

    /// Copies a record to where it can stay; it has one user then.
    @inline(__always)
    mutating func keep(_ record: UnsafeRawPointer, _ count: Int) -> RecordPlace {
        let place = allocate(count)
        pointer(place).copyMemory(from: record, byteCount: count)
        retain(place.chunk)
        return place
    }

    private mutating func begin(_ count: Int) -> RecordPlace {
        let full = current
        let number = makeChunk(max(count, Self.chunkBytes))
        chunks[Int(number)].used = count
        current = number
        if let full { releaseIfUnused(full) }
        return RecordPlace(chunk: number, offset: 0)
    }

    @inline(__always)
    func pointer(_ place: RecordPlace) -> UnsafeMutableRawPointer {
        guard let base = chunks[Int(place.chunk)].base else { fatalError("the chunk is gone") }
        return base + Int(place.offset)
    }

    func bytes(_ place: RecordPlace, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: pointer(place), count: count)
    }

    @inline(__always)
    mutating func retain(_ chunk: UInt32, by count: Int = 1) { chunks[Int(chunk)].users += count }

    @inline(__always)
    mutating func release(_ chunk: UInt32) {
        chunks[Int(chunk)].users -= 1
        releaseIfUnused(chunk)
    }

    @inline(__always)
    private mutating func releaseIfUnused(_ number: UInt32) {
        guard chunks[Int(number)].users == 0, number != current else { return }
        drop(number)
    }

    private mutating func drop(_ number: UInt32) {
        let chunk = chunks[Int(number)]
        memory -= chunk.capacity
        if let base = chunk.base {
            if chunk.capacity == Self.chunkBytes && spareMemory.count < Self.spares {
                spareMemory.append(base)
            } else {
                base.deallocate()
            }
        }
        chunks[Int(number)] = Chunk()
        freeNumbers.append(number)
    }

    private mutating func makeChunk(_ capacity: Int) -> UInt32 {
        let isCommon = capacity == Self.chunkBytes
        let spare = isCommon ? spareMemory.popLast() : nil
        let base = spare ?? .allocate(byteCount: capacity, alignment: 16)
        memory += capacity
        let chunk = Chunk(base: base, capacity: capacity)
        if let number = freeNumbers.popLast() {
            chunks[Int(number)] = chunk
            return number
        }
        chunks.append(chunk)
        return UInt32(chunks.count - 1)
    }
}
