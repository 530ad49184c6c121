import CBelfryDisk

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Finds the slot of an id: open addressing with linear probing, 8 bytes an entry (fingerprint and slot number), in 256 tables that grow one by one,
/// so that no growth is long.
///
/// The tables hold only 32 of the hash's 128 bits; the caller compares the rest in the slot. A removal shifts later
/// entries back instead of leaving tombstones.
///
/// Memory is taken and given back by hand, because a Swift array would be checked, counted and zeroed on the engine's hottest path;
/// nothing outside this type sees a pointer.
struct PushIndex: ~Copyable {
    private struct Table {
        var entries: UnsafeMutablePointer<UInt64>
        var mask: UInt32
        var count: UInt32
    }

    private let tables: UnsafeMutablePointer<Table>
    private(set) var count = 0

    init() {
        tables = .allocate(capacity: 256)
        for number in 0..<256 {
            tables[number] = Table(entries: Self.allocate(64), mask: 63, count: 0)
        }
    }

    deinit {
        for number in 0..<256 { free(tables[number].entries) }
        tables.deallocate()
    }

    /// Has the place of a fingerprint brought into the cache, because it is needed a little later.
    @inline(__always)
    func prefetch(_ fingerprint: UInt32) {
        let table = tables[Int(fingerprint >> 24)]
        belfry_prefetch(table.entries + Int(fingerprint & table.mask))
    }

    /// The slot for which `matches` holds.
    @inline(__always)
    func find(_ fingerprint: UInt32, _ matches: (UInt32) -> Bool) -> UInt32? {
        let table = tables[Int(fingerprint >> 24)]
        var place = fingerprint & table.mask
        while true {
            let entry = table.entries[Int(place)]
            if entry == 0 { return nil }
            if UInt32(truncatingIfNeeded: entry >> 32) == fingerprint {
                let slot = UInt32(truncatingIfNeeded: entry) &- 1
                if matches(slot) { return slot }
            }
            place = (place &+ 1) & table.mask
        }
    }

    /// Adds a slot. The id must not be there.
    @inline(__always)
    mutating func insert(_ fingerprint: UInt32, slot: UInt32) {
        let number = Int(fingerprint >> 24)
        // Three quarters full: longer runs of entries cost more than the memory saved.
        if (tables[number].count + 1) * 4 > (tables[number].mask + 1) * 3 { grow(number) }
        put(UInt64(fingerprint) << 32 | UInt64(slot + 1), into: tables[number])
        tables[number].count += 1
        count += 1
    }

    mutating func remove(_ fingerprint: UInt32, slot: UInt32) {
        let number = Int(fingerprint >> 24)
        let table = tables[number]
        let wanted = UInt64(fingerprint) << 32 | UInt64(slot + 1)
        var place = fingerprint & table.mask
        while table.entries[Int(place)] != wanted {
            precondition(table.entries[Int(place)] != 0, "the index has lost a slot")
            place = (place &+ 1) & table.mask
        }
        closeGap(at: place, in: table)
        tables[number].count -= 1
        count -= 1
    }

    /// Bytes of all tables.
    var memory: Int {
        (0..<256).reduce(0) { $0 + (Int(tables[$1].mask) + 1) * 8 }
    }

    private func closeGap(at start: UInt32, in table: Table) {
        var gap = start
        var place = (gap &+ 1) & table.mask
        while table.entries[Int(place)] != 0 {
            let entry = table.entries[Int(place)]
            let home = UInt32(truncatingIfNeeded: entry >> 32) & table.mask
            // Move it only if its home is not between the gap and where it lies.
            if (place &- home) & table.mask >= (place &- gap) & table.mask {
                table.entries[Int(gap)] = entry
                gap = place
            }
            place = (place &+ 1) & table.mask
        }
        table.entries[Int(gap)] = 0
    }

    private func put(_ entry: UInt64, into table: Table) {
        var place = UInt32(truncatingIfNeeded: entry >> 32) & table.mask
        while table.entries[Int(place)] != 0 { place = (place &+ 1) & table.mask }
        table.entries[Int(place)] = entry
    }

    private mutating func grow(_ number: Int) {
        let old = tables[number]
        let capacity = (Int(old.mask) + 1) * 2
        precondition(capacity <= 1 << 24, "the index is full")
        let new = Table(
            entries: Self.allocate(capacity),
            mask: UInt32(capacity - 1),
            count: old.count
        )
        for place in 0...Int(old.mask) where old.entries[place] != 0 {
            put(old.entries[place], into: new)
        }
        free(old.entries)
        tables[number] = new
    }

    private static func allocate(_ capacity: Int) -> UnsafeMutablePointer<UInt64> {
        guard let memory = calloc(capacity, 8) else { fatalError("out of memory") }
        return memory.bindMemory(to: UInt64.self, capacity: capacity)
    }
}
