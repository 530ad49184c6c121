import BelfryCore

extension Lane {
    /// Cancels by id (promise T5). Durable once the frame is on disk.
    ///
    /// - Parameter held: leave alone what was accepted after this was said. So another lane that has accepted a newer version of an id
    ///   ends the older one here, but not one that is newer still.
    /// - Throws: `full`, `invalid`, `corrupt`; nothing was changed then.
    mutating func cancel(_ ids: [PushID], _ held: HeldElsewhere? = nil, at moment: Moment)
        throws(TimelineError) -> [CancelOutcome]
    {
        guard !ids.isEmpty else { return [] }
        let room = ids.reduce(0) { $0 + 2 + min($1.text.utf8.count, PushLimits.idBytes) }
        guard room <= Frame.bodyLimit else {
            throw TimelineError(.invalid, "too many ids in one call")
        }
        try makeRoom(Frame.bytes + room, isGrowth: false)
        advance(to: moment)
        if held != nil {
            // Only memory knows the numbers; nothing may go wrong once the first has ended.
            for id in ids {
                if let slot = slot(of: hash(id)) { try bringNearUnlessDamaged(slot) }
            }
        }
        let frame = FrameBuffer(room: room)
        var count = 0
        var outcomes: [CancelOutcome] = []
        outcomes.reserveCapacity(ids.count)
        for id in ids {
            let hash = hash(id)
            let outcome = isNewer(hash, than: held) ? .gone : cancel(hash)
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

    /// What this lane holds of ids that a call has placed in others. An id that was cancelled in flight has ended.
    func held(of others: OtherLanes, lane: Int) -> HeldElsewhere {
        var held = HeldElsewhere(before: sequence, nextRun: nextRun)
        for (number, hash) in others.hashes.enumerated() {
            let ahead = number + 16
            if ahead < others.hashes.count { index.prefetch(others.hashes[ahead].fingerprint) }
            guard others.lanes[number] != lane, let slot = slot(of: hash) else { continue }
            let entry = slots.pointer(slot).pointee
            if entry.isNear, isCancelled(entry.ordinal) { continue }
            held.ids.append(number)
        }
        return held
    }

    private func isCancelled(_ number: UInt32) -> Bool {
        let push = near.pointer(number).pointee
        return push.isCancelled && push.newer == NearPush.none
    }

    private mutating func bringNearUnlessDamaged(_ slot: UInt32) throws(TimelineError) {
        do throws(TimelineError) { _ = try bringNear(slot) } catch {
            let entry = slots.pointer(slot).pointee
            guard error.code == .corrupt, !entry.isNear, !entry.isDrafted else { throw error }
        }
    }

    private func isNewer(_ hash: PushHash, than held: HeldElsewhere?) -> Bool {
        guard let held, let slot = slot(of: hash) else { return false }
        let entry = slots.pointer(slot).pointee
        // Of what cannot be read the number is not known; what was in a run by then is older.
        guard entry.isNear else { return entry.run >= held.nextRun }
        let push = near.pointer(entry.ordinal).pointee
        let newest = push.newer == NearPush.none ? push : near.pointer(push.newer).pointee
        return newest.sequence >= held.before
    }

    mutating func cancel(_ hash: PushHash) -> CancelOutcome {
        guard let slot = slot(of: hash) else { return .gone }
        let entry = slots.pointer(slot).pointee
        guard entry.isNear, near.pointer(entry.ordinal).pointee.state == .inFlight else {
            remove(slot: slot, hash: hash)
            return .cancelled
        }
        let push = near.pointer(entry.ordinal)
        let waited = push.pointee.newer
        if waited != NearPush.none {
            drop(near: waited)
            push.pointee.newer = NearPush.none
        }
        push.pointee.isCancelled = true
        abandonHome(entry.ordinal)
        return waited == NearPush.none ? .inFlight : .inFlightParked
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
