import CBelfryDisk

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What can say, inside itself, which element is free next.
protocol SlabElement: BitwiseCopyable {
    static var empty: Self { get }
    /// The next free element, while this one is free.
    var nextFree: UInt32 { get set }
}

/// Elements named by number, with a list of free ones: taking and giving back is O(1) and allocates nothing in steady state.
///
/// They lie in chunks that never move, so that growing copies nothing and is never long. `pointer` is for the lane, which owns every number that it
/// uses: there is no bounds check.
struct Slab<Element: SlabElement>: ~Copyable {
    private var chunks: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
    private var chunkCount = 0
    /// How many numbers were ever used.
    private(set) var used: UInt32 = 0
    private(set) var count = 0
    private var firstFree = UInt32.max

    private static var chunkBits: UInt32 { 16 }
    private static var chunkElements: Int { 1 << Int(chunkBits) }

    init() {
        chunks = .allocate(capacity: 1 << (31 - Int(Self.chunkBits)))
    }

    deinit {
        for number in 0..<chunkCount { free(chunks[number]) }
        chunks.deallocate()
    }

    @inline(__always)
    func pointer(_ number: UInt32) -> UnsafeMutablePointer<Element> {
        chunks[Int(number >> Self.chunkBits)] + Int(number & (1 << Self.chunkBits - 1))
    }

    @inline(__always)
    mutating func take() -> UInt32 {
        count += 1
        if firstFree != .max {
            let number = firstFree
            firstFree = pointer(number).pointee.nextFree
            return number
        }
        if Int(used) == chunkCount << Int(Self.chunkBits) { grow() }
        used += 1
        return used - 1
    }

    @inline(__always)
    mutating func giveBack(_ number: UInt32) {
        let element = pointer(number)
        element.pointee = .empty
        element.pointee.nextFree = firstFree
        firstFree = number
        count -= 1
    }

    var memory: Int { Int(used) * MemoryLayout<Element>.stride }

    private mutating func grow() {
        precondition(used < 1 << 31, "the slab is full")
        let bytes = Self.chunkElements * MemoryLayout<Element>.stride
        // The first chunk takes only the memory that is touched, for those who never have many.
        guard let memory = chunkCount == 0 ? malloc(bytes) : belfry_large_memory(bytes) else {
            fatalError("out of memory")
        }
        chunks[chunkCount] = memory.bindMemory(to: Element.self, capacity: Self.chunkElements)
        chunkCount += 1
    }
}
