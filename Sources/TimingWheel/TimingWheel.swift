/// A hierarchical timing wheel in the manner of wahern/timeout: 64 slots a level, a 64-bit occupancy word a level.
///
/// Insert and remove are O(1); the next wake-up is found by counting trailing zeros; every entry expires in the very tick it is
/// due, because entries cascade into finer levels as time comes near. Pure and synchronous: whoever owns it says what
/// time it is. Ticks are milliseconds here, but nothing depends on that; the whole range of `Int64` is allowed.
///
/// An entry lies at the level of the highest 6-bit digit in which its due time and the wheel's time differ. So everything
/// on a lower level comes before everything on a higher one, and the first occupied slot of the lowest occupied level holds
/// what is next.
///
/// Entries live in one flat array and are linked by index: in steady state nothing is allocated.
package struct TimingWheel: ~Copyable {
    /// Names an entry until it expires or is removed; a handle that outlived its entry is recognised.
    package struct Handle: Sendable, Hashable, BitwiseCopyable {
        var index: UInt32
        var generation: UInt16

        package static let none = Handle(index: .max, generation: 0)
    }

    static let levels = 11
    /// The slot of entries that were due already when they were inserted.
    static let overdue = levels * 64
    static let nowhere = UInt32.max

    /// Everything due at or before this tick has expired or waits in the overdue slot.
    package private(set) var now: Int64
    package private(set) var count = 0

    var nodes: [Node] = []
    var firstFree = nowhere
    /// One bit a slot, one word a level.
    var occupied = [UInt64](repeating: 0, count: levels)
    var slots = [Slot](repeating: Slot(), count: levels * 64 + 1)

    package init(now: Int64 = 0) { self.now = now }

    /// Files `value` under `due`. A due time that has passed expires at the next ``expire(through:_:)``, whatever time that names.
    package mutating func insert(due: Int64, value: UInt32) -> Handle {
        let index = takeNode()
        nodes[Int(index)].due = due
        nodes[Int(index)].value = value
        link(index)
        count += 1
        return Handle(index: index, generation: nodes[Int(index)].generation)
    }

    /// Takes an entry out.
    ///
    /// - Returns: `false` if it has expired or was removed before.
    @discardableResult
    package mutating func remove(_ handle: Handle) -> Bool {
        guard handle.index < nodes.count else { return false }
        let node = nodes[Int(handle.index)]
        guard node.generation == handle.generation, node.place != Node.free else { return false }
        unlink(handle.index)
        giveBack(handle.index)
        count -= 1
        return true
    }

    /// Expires everything due at or before `time`, in order of due time (what was overdue at its insertion comes first).
    ///
    /// A `time` before ``now`` (a clock set back) expires only what was overdue and is due by that time too; the rest stays.
    package mutating func expire(
        through time: Int64,
        _ body: (_ value: UInt32, _ due: Int64) -> Void
    ) {
        expireOverdue(through: time, body)
        while let (place, start) = firstOccupied(), start <= time {
            now = start
            var index = detach(place)
            while index != Self.nowhere {
                let node = nodes[Int(index)]
                if node.due <= now {
                    giveBack(index)
                    count -= 1
                    body(node.value, node.due)
                } else {
                    link(index)
                }
                index = node.next
            }
        }
        now = max(now, time)
    }

    /// When the next entry is due; `nil` if there is none.
    ///
    /// Exact, except that after the removal of the earliest of very many entries it may name an earlier time: whoever wakes
    /// then finds nothing due, and the time named next is nearer the truth.
    package mutating func next() -> Int64? {
        if slots[Self.overdue].head != Self.nowhere { return earliest(in: Self.overdue) }
        return firstOccupied().map { earliest(in: $0.place) }
    }

    // MARK: Slots

    /// Where an entry belongs by the present time.
    private func place(for due: Int64) -> Int {
        guard due > now else { return Self.overdue }
        let level = (63 - (ordered(due) ^ ordered(now)).leadingZeroBitCount) / 6
        return level * 64 + Int((ordered(due) >> UInt64(level * 6)) & 63)
    }

    private mutating func link(_ index: UInt32) {
        let due = nodes[Int(index)].due
        let place = place(for: due)
        let head = slots[place].head
        nodes[Int(index)].place = UInt16(place)
        nodes[Int(index)].previous = Self.nowhere
        nodes[Int(index)].next = head
        if head != Self.nowhere {
            nodes[Int(head)].previous = index
            slots[place].earliest = min(slots[place].earliest, due)
        } else {
            slots[place].earliest = due
            slots[place].isStale = false
            if place != Self.overdue { occupied[place >> 6] |= 1 << UInt64(place & 63) }
        }
        slots[place].head = index
    }

    private mutating func unlink(_ index: UInt32) {
        let node = nodes[Int(index)]
        let place = Int(node.place)
        if node.next != Self.nowhere { nodes[Int(node.next)].previous = node.previous }
        if node.previous != Self.nowhere {
            nodes[Int(node.previous)].next = node.next
        } else {
            slots[place].head = node.next
            if node.next == Self.nowhere && place != Self.overdue {
                occupied[place >> 6] &= ~(1 << UInt64(place & 63))
            }
        }
        if node.due == slots[place].earliest { slots[place].isStale = true }
    }

    /// Empties a slot; the list that it held remains linked by `next`.
    private mutating func detach(_ place: Int) -> UInt32 {
        let head = slots[place].head
        slots[place].head = Self.nowhere
        occupied[place >> 6] &= ~(1 << UInt64(place & 63))
        return head
    }

    /// The slot that holds the next entries, and the first tick that belongs to it.
    private func firstOccupied() -> (place: Int, start: Int64)? {
        for level in 0..<Self.levels where occupied[level] != 0 {
            let slot = occupied[level].trailingZeroBitCount
            let shift = UInt64(level * 6)
            // The digits above this level are those of the present time.
            let above = shift + 6 >= 64 ? 0 : (ordered(now) >> (shift + 6)) << (shift + 6)
            return (level * 64 + slot, unordered(above | UInt64(slot) << shift))
        }
        return nil
    }

    /// The earliest due time in an occupied slot: see ``next()`` for when it is only a bound.
    private mutating func earliest(in place: Int) -> Int64 {
        guard slots[place].isStale else { return slots[place].earliest }
        var index = slots[place].head
        var least = Int64.max
        var looked = 0
        while index != Self.nowhere {
            // A long list is not walked at every call: the bound serves, and a cascade will shorten the list.
            guard looked < 256 else { return slots[place].earliest }
            least = min(least, nodes[Int(index)].due)
            index = nodes[Int(index)].next
            looked += 1
        }
        slots[place].earliest = least
        slots[place].isStale = false
        return least
    }

    private mutating func expireOverdue(
        through time: Int64,
        _ body: (_ value: UInt32, _ due: Int64) -> Void
    ) {
        guard slots[Self.overdue].head != Self.nowhere else { return }
        var due: [UInt32] = []
        var index = slots[Self.overdue].head
        while index != Self.nowhere {
            if nodes[Int(index)].due <= time { due.append(index) }
            index = nodes[Int(index)].next
        }
        due.sort { nodes[Int($0)].due < nodes[Int($1)].due }
        for index in due {
            let node = nodes[Int(index)]
            unlink(index)
            giveBack(index)
            count -= 1
            body(node.value, node.due)
        }
    }

    // MARK: Nodes

    private mutating func takeNode() -> UInt32 {
        if firstFree != Self.nowhere {
            let index = firstFree
            firstFree = nodes[Int(index)].next
            return index
        }
        nodes.append(Node())
        return UInt32(nodes.count - 1)
    }

    private mutating func giveBack(_ index: UInt32) {
        nodes[Int(index)].generation &+= 1
        nodes[Int(index)].place = Node.free
        nodes[Int(index)].next = firstFree
        firstFree = index
    }
}

struct Node: BitwiseCopyable {
    static let free = UInt16.max

    var due: Int64 = 0
    var next = TimingWheel.nowhere
    var previous = TimingWheel.nowhere
    var value: UInt32 = 0
    /// Level times 64 plus slot.
    var place = Node.free
    var generation: UInt16 = 0
}

struct Slot: BitwiseCopyable {
    var head = TimingWheel.nowhere
    /// The entry that `earliest` speaks of is gone: it is a lower bound now.
    var isStale = false
    var earliest = Int64.max
}

/// Maps the signed range onto the unsigned one, in order, so that digits can be compared by exclusive or.
@inline(__always)
func ordered(_ time: Int64) -> UInt64 { UInt64(bitPattern: time) ^ (1 << 63) }

@inline(__always)
func unordered(_ time: UInt64) -> Int64 { Int64(bitPattern: time ^ (1 << 63)) }
