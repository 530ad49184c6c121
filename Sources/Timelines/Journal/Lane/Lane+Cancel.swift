import BelfryCore

extension Lane {
    /// Cancels by id (promise T5). Durable once the frame is on disk.
    ///
    /// - Throws: `full`, `invalid`; nothing was changed then.
    mutating func cancel(_ ids: [PushID], at moment: Moment) throws(TimelineError)
        -> [CancelOutcome]
    {
        guard !ids.isEmpty else { return [] }
        let room = ids.reduce(0) { $0 + 2 + min($1.text.utf8.count, PushLimits.idBytes) }
        guard room <= Frame.bodyLimit else {
            throw TimelineError(.invalid, "too many ids in one call")
        }
        try makeRoom(Frame.bytes + room, isGrowth: false)
        advance(to: moment)
        let frame = FrameBuffer(room: room)
        var count = 0
        var outcomes: [CancelOutcome] = []
        outcomes.reserveCapacity(ids.count)
        for id in ids {
            let outcome = cancel(hash(id))
            outcomes.append(outcome)
            guard outcome != .gone else { continue }
            frame.add(put(id, at: frame.body + frame.length))
            count += 1
        }
        if count > 0, limits.mutation != .forgetsCancels {
            seal(self.frame(.cancel, count: count, at: moment), frame)
        }
        return outcomes
    }

    mutating func cancel(_ hash: PushHash) -> CancelOutcome {
        guard let slot = slot(of: hash) else { return .gone }
        let entry = slots.pointer(slot).pointee
        guard entry.isNear, near.pointer(entry.ordinal).pointee.state == .inFlight else {
            remove(slot: slot, hash: hash)
            return .cancelled
        }
        let push = near.pointer(entry.ordinal)
        if push.pointee.newer != NearPush.none {
            drop(near: push.pointee.newer)
            push.pointee.newer = NearPush.none
        }
        push.pointee.isCancelled = true
        abandonHome(entry.ordinal)
        return .inFlight
    }

    /// Writes an id with its length in front.
    func put(_ id: PushID, at target: UnsafeMutableRawPointer) -> Int {
        var text = id.text
        return text.withUTF8 { bytes in
            target.storeBytes(of: UInt16(bytes.count), as: UInt16.self)
            if let start = bytes.baseAddress {
                (target + 2).copyMemory(from: start, byteCount: bytes.count)
            }
            return 2 + bytes.count
        }
    }
}
