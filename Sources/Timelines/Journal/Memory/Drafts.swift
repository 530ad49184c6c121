import CBelfryDisk

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A far push that only the journal holds: where its record lies there, until a checkpoint copies it into a run. 24 bytes.
struct Draft: BitwiseCopyable {
    /// Of the packed record in its segment, bytes.
    var offset: UInt32
    /// Still counts only while the slot names this draft.
    var slot: UInt32
    var sequence: UInt64
    var accepted: Int64
}

/// Far pushes that wait in the journal, in the order of acceptance (promise T9).
///
/// A far push costs its slot and a line here: no wheel, no payload in memory. What comes near before a checkpoint has sorted it into a run is
/// read back from the journal.
struct Drafts {
    /// Drafts of one journal segment.
    struct Segment {
        var number: UInt64
        /// Index of the first.
        var first: Int
        /// Open for reading once something was read.
        var file: FileID?
    }

    /// What slots call the first draft: numbers go on from one list to the next.
    private(set) var base: UInt32
    private(set) var list = DraftList()
    var segments: [Segment] = []
    /// Nothing here that counts is due before this.
    private(set) var earliest = Int64.max
    /// The draft that `earliest` speaks of has ended.
    private var isStale = false
    /// Drafts that ended since `earliest` was last looked for.
    private var ended = 0

    init(base: UInt32) { self.base = base }

    var isEmpty: Bool { list.count == 0 }
    /// What the next draft will be called.
    var end: UInt32 { base &+ UInt32(truncatingIfNeeded: list.count) }

    func index(of number: UInt32) -> Int? {
        let index = Int(number &- base)
        return index < list.count ? index : nil
    }

    func number(_ index: Int) -> UInt32 { base &+ UInt32(truncatingIfNeeded: index) }

    /// - Returns: what the slot is to call it.
    @inline(__always)
    mutating func append(_ draft: Draft, due: Int64) -> UInt32 {
        let number = end
        list.append(draft)
        if due < earliest {
            earliest = due
            isStale = false
        }
        return number
    }

    /// From here on drafts lie in this segment.
    mutating func begin(segment number: UInt64) {
        segments.append(Segment(number: number, first: list.count, file: nil))
    }

    func segment(of index: Int) -> Int {
        segments.lastIndex { $0.first <= index } ?? 0
    }

    /// A draft has ended, or come near.
    @inline(__always)
    mutating func drop(due: Int64) {
        ended += 1
        if due == earliest { isStale = true }
    }

    /// Whether a look at the whole list is worth while to make `earliest` exact. Never more often than as many drafts have ended, so that the cost of
    /// looking is constant for each.
    var wantsLook: Bool { isStale && list.count <= 1024 + 64 * ended }

    mutating func found(earliest: Int64) {
        self.earliest = earliest
        isStale = false
        ended = 0
    }

    /// Puts `later` behind this list, which its numbers follow.
    mutating func append(contentsOf later: Drafts) {
        for segment in later.segments {
            segments.append(
                Segment(
                    number: segment.number,
                    first: segment.first + list.count,
                    file: segment.file
                )
            )
        }
        for index in 0..<later.list.count { list.append(later.list[index]) }
        earliest = min(earliest, later.earliest)
        isStale = isStale || later.isStale
        ended += later.ended
    }
}

/// Drafts in the order in which they came. A copy sees what was there when it was made; only one may be appended to.
///
/// Unchecked: elements are written once, before any copy that can see them is made.
struct DraftList: @unchecked Sendable {
    private(set) var count = 0
    private let memory = DraftMemory()
    /// Where the next one goes.
    private var next: UnsafeMutablePointer<Draft>?

    @inline(__always)
    mutating func append(_ draft: Draft) {
        if count & (DraftMemory.chunkDrafts - 1) == 0 { next = memory.grow() }
        next?.pointee = draft
        next = next.map { $0 + 1 }
        count += 1
    }

    @inline(__always)
    subscript(index: Int) -> Draft {
        memory.chunks[index / DraftMemory.chunkDrafts][index % DraftMemory.chunkDrafts]
    }
}

/// The chunks that drafts lie in; they never move.
private final class DraftMemory {
    static let chunkDrafts = 1 << 16

    private(set) var chunks: [UnsafeMutablePointer<Draft>] = []

    deinit { for chunk in chunks { free(chunk) } }

    func grow() -> UnsafeMutablePointer<Draft> {
        let bytes = Self.chunkDrafts * MemoryLayout<Draft>.stride
        // The first takes only the memory that is touched, for those who never have many.
        guard let memory = chunks.isEmpty ? malloc(bytes) : belfry_large_memory(bytes) else {
            fatalError("out of memory")
        }
        chunks.append(memory.bindMemory(to: Draft.self, capacity: Self.chunkDrafts))
        return chunks[chunks.count - 1]
    }
}
