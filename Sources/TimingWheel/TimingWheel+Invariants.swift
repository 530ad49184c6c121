extension TimingWheel {
    /// Verifies that lists, occupancy words and times agree. O(entries); for tests and simulation.
    ///
    /// - Returns: what is wrong, or `nil`.
    package func brokenInvariant() -> String? {
        var found = 0
        for place in 0...Self.overdue {
            if let problem = problem(in: place, &found) { return "slot \(place): \(problem)" }
        }
        if found != count { return "\(count) entries are counted, \(found) are linked" }
        var free = 0
        var index = firstFree
        while index != Self.nowhere {
            if nodes[Int(index)].place != Node.free { return "node \(index) is free and in use" }
            free += 1
            index = nodes[Int(index)].next
        }
        return free + found == nodes.count ? nil : "\(nodes.count - free - found) nodes are lost"
    }

    /// Stops the program if an invariant is broken.
    package func checkInvariants() {
        if let problem = brokenInvariant() { preconditionFailure(problem) }
    }

    private func problem(in place: Int, _ found: inout Int) -> String? {
        var index = slots[place].head
        if place != Self.overdue {
            let bit = occupied[place >> 6] >> UInt64(place & 63) & 1
            if (bit == 1) != (index != Self.nowhere) { return "the occupancy bit is wrong" }
        }
        var previous = Self.nowhere
        while index != Self.nowhere {
            let node = nodes[Int(index)]
            if node.previous != previous { return "node \(index) is linked wrongly" }
            if Int(node.place) != place { return "node \(index) thinks it lies in \(node.place)" }
            if node.due < slots[place].earliest { return "node \(index) is earlier than the slot" }
            if place != Self.overdue, node.due <= now { return "node \(index) should have expired" }
            if place != Self.overdue, !belongs(node.due, place) { return "node \(index) is astray" }
            previous = index
            index = node.next
            found += 1
        }
        return nil
    }

    private func belongs(_ due: Int64, _ place: Int) -> Bool {
        let level = (63 - (ordered(due) ^ ordered(now)).leadingZeroBitCount) / 6
        return level == place >> 6
            && Int((ordered(due) >> UInt64(level * 6)) & 63) == place & 63
    }
}
