import BelfryCore

/// Some of a lane's pending pushes.
struct LanePage: Sendable {
    var pushes: [Pending] = []
    /// The slot where the next page begins; `nil`: this is the last.
    var next: UInt32?
}

extension Lane {
    /// How many slots one page may look at, so that other calls need not wait long.
    private static var pageSlots: UInt32 { 65_536 }

    /// Pending pushes that nobody holds and that can be read, by their slots, which never change while they are pending.
    mutating func page(from first: UInt32, limit: Int) throws(TimelineError) -> LanePage {
        var page = LanePage()
        var inRuns: [Slot] = []
        var reader = SegmentWindow()
        var number = first
        let end = min(slots.used, first &+ Self.pageSlots)
        while number < end, page.pushes.count + inRuns.count < limit {
            let entry = slots.pointer(number).pointee
            number += 1
            guard entry.isPending else { continue }
            if entry.isDrafted {
                page.pushes.append(try pending(drafted: entry, &reader))
            } else if entry.isNear {
                let push = shown(near: entry.ordinal)
                if push.state == .scheduled { page.pushes.append(push) }
            } else {
                inRuns.append(entry)
            }
        }
        page.pushes += try pending(inRuns: inRuns)
        page.next = number < slots.used ? number : nil
        return page
    }

    /// Each block is read once. What is damaged is left out: it stays where it is set aside.
    private mutating func pending(inRuns entries: [Slot]) throws(TimelineError) -> [Pending] {
        let sorted = entries.sorted { ($0.run, $0.ordinal) < ($1.run, $1.ordinal) }
        var pushes: [Pending] = []
        var start = 0
        while start < sorted.count {
            let run = sorted[start].run
            let block = runs[run].block(of: sorted[start].ordinal)
            var end = start
            while end < sorted.count, sorted[end].run == run,
                runs[run].block(of: sorted[end].ordinal) == block
            {
                end += 1
            }
            do throws(TimelineError) {
                pushes += try pending(inBlock: Array(sorted[start..<end]))
            } catch {
                guard error.code == .corrupt else { throw error }
            }
            start = end
        }
        return pushes
    }

    /// Ends pushes that are as they were read. In the journal that is a cancel. Durable once the frame is on disk.
    mutating func withdraw(_ pushes: [Pending], at moment: Moment) throws(TimelineError) -> [Bool] {
        advance(to: moment)
        var isSame: [Bool] = []
        for pending in pushes {
            let found = try find(pending.push.id)
            isSame.append(found?.isUnchanged(since: pending) ?? false)
        }
        let ids = pushes.indices.filter { isSame[$0] }.map { pushes[$0].push.id }
        _ = try cancel(ids, at: moment)
        return isSame
    }

    func awaitsJoining(_ pushes: [Push]) throws(TimelineError) -> [Bool] {
        var isAwaited: [Bool] = []
        for push in pushes {
            let batch: PushBatch
            do { batch = try PushBatch([push]) } catch {
                throw TimelineError(.invalid, "\(push.id): \(error)")
            }
            let head = batch.bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.flatMap { merges.head(mergeHash($0)) }
            }
            isAwaited.append(push.merge != nil && head != nil)
        }
        return isAwaited
    }
}
