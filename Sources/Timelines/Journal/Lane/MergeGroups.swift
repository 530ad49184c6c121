/// Which pending push a further one of the same recipient and merge key joins (promise T8).
struct MergeGroups {
    /// The numbers of one group.
    struct Group {
        /// The earliest and the latest due time of the pushes in it (a past one counts as the time of acceptance).
        var first: Int64
        var last: Int64
        /// Records whose payloads are kept besides the newest, oldest first.
        var collected: [RecordPlace] = []
    }

    /// Slots of the pushes that can be joined, by the hash of recipient and key.
    private var heads: [PushHash: UInt32] = [:]
    /// The hashes of heads whose record is not in memory.
    private var far: [UInt32: PushHash] = [:]
    private var groups: [Group?] = []
    private var free: [UInt32] = []

    func head(_ hash: PushHash) -> UInt32? { heads[hash] }
    mutating func setHead(_ hash: PushHash, _ slot: UInt32) {
        // Whoever was the head must not take the new one with it when it ends.
        if let old = heads[hash] { far[old] = nil }
        heads[hash] = slot
    }

    mutating func remove(_ hash: PushHash) { heads[hash] = nil }

    mutating func remember(_ hash: PushHash, of slot: UInt32) { far[slot] = hash }

    /// The record of a slot is in memory again, or has ended.
    mutating func forget(_ slot: UInt32, andRemove ended: Bool = false) {
        guard !far.isEmpty, let hash = far.removeValue(forKey: slot), ended else { return }
        heads[hash] = nil
    }

    mutating func add(_ group: Group) -> UInt32 {
        if let number = free.popLast() {
            groups[Int(number)] = group
            return number
        }
        groups.append(group)
        return UInt32(groups.count - 1)
    }

    subscript(number: UInt32) -> Group {
        get {
            guard let group = groups[Int(number)] else { fatalError("the merge group is gone") }
            return group
        }
        set { groups[Int(number)] = newValue }
    }

    mutating func drop(_ number: UInt32) {
        groups[Int(number)] = nil
        free.append(number)
    }
}
