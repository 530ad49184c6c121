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

/// Elements in one flat piece of memory, named by number, with a list of free ones: taking and giving back is O(1) and allocates nothing in
/// steady state.
///
/// Grown by `realloc`, which moves pages instead of copying them; what was never used takes no memory.
/// `elements` is for the lane, which owns every number that it uses: there is no bounds check.
struct Slab<Element: SlabElement>: ~Copyable {
    private(set) var elements: UnsafeMutablePointer<Element>
    private var capacity: UInt32
    /// How many numbers were ever used.
    private(set) var used: UInt32 = 0
    private(set) var count = 0
    private var firstFree = UInt32.max

    init(capacity: UInt32 = 1024) {
        self.capacity = capacity
        elements = Self.resized(nil, capacity)
    }

    deinit { free(elements) }

    @inline(__always)
    mutating func take() -> UInt32 {
        count += 1
        if firstFree != .max {
            let number = firstFree
            firstFree = elements[Int(number)].nextFree
            return number
        }
        if used == capacity {
            precondition(capacity < 1 << 31, "the slab is full")
            capacity *= 2
            elements = Self.resized(elements, capacity)
        }
        used += 1
        return used - 1
    }

    @inline(__always)
    mutating func giveBack(_ number: UInt32) {
        elements[Int(number)] = .empty
        elements[Int(number)].nextFree = firstFree
        firstFree = number
        count -= 1
    }

    var memory: Int { Int(used) * MemoryLayout<Element>.stride }

    private static func resized(_ old: UnsafeMutablePointer<Element>?, _ capacity: UInt32)
        -> UnsafeMutablePointer<Element>
    {
        guard let memory = realloc(old, Int(capacity) * MemoryLayout<Element>.stride) else {
            fatalError("out of memory")
        }
        return memory.bindMemory(to: Element.self, capacity: Int(capacity))
    }
}
