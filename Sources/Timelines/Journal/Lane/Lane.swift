import BelfryCore
import BelfryTimingWheel

/// The engine: a synchronous state machine over a disk, driven by one thread. It never waits for anything but the disk.
///
/// A call changes memory and leaves a frame in ``journal``; the caller must see the frame on disk (``takeGroup()``, write,
/// ``finish(_:)``) before it tells anybody. Claims and leases are not journalled: after a crash, what was in flight is due again.
///
/// Every pending push has a slot (``Slot``), found by the hash of its id. In the near window it also has a ``NearPush`` and its
/// packed record in the arena; beyond, only the slot: its record lies in a run.
struct Lane<Disk: Storage>: ~Copyable {
    let disk: Disk
    let limits: JournalConfiguration

    var key: HashKey
    var index = PushIndex()
    var slots = Slab<Slot>()
    var near = Slab<NearPush>()
    var arena = Arena()
    var ready = ReadyQueue()
    var wheel: TimingWheel
    /// Leases, by the monotonic clock.
    var leases: TimingWheel
    var merges = MergeGroups()
    var accounts = Accounts()
    var load = LoadAhead()
    var journal: JournalWriter
    var runs = RunSet()

    /// The next acceptance number.
    var sequence: UInt64 = 1
    /// The next fencing token.
    var generation: UInt64
    /// The next ``NearPush/version``.
    var version: UInt32 = 0
    var inFlight = 0
    /// Near pushes that the next checkpoint must look at.
    var dirty: [UInt32] = []
    /// Bytes journalled since the last checkpoint began.
    var journalled = 0
    var checkpointing = false
    /// The oldest journal segment that the manifest on disk needs.
    var firstSegment: UInt64
    var nextRun: UInt32
    var adoptions: [Adoption] = []
    /// Segments that nothing is appended to any more, but whose last group may still be on its way.
    var retired: [FileID] = []
    /// Scratch: the hashes of the batch at hand.
    var hashes: [PushHash] = []

    var pending: Int { slots.count }

    // MARK: Time

    /// Moves what has come due into the ready queue, and takes back what was held too long.
    mutating func advance(to moment: Moment) {
        if wheel.count > 0 {
            var due: [UInt32] = []
            wheel.expire(through: moment.now) { value, _ in due.append(value) }
            for number in due { makeReady(number) }
        } else {
            wheel.expire(through: moment.now) { _, _ in }
        }
        var ended: [UInt32] = []
        leases.expire(through: moment.steady) { value, _ in ended.append(value) }
        for number in ended { endLease(number) }
    }

    mutating func makeReady(_ number: UInt32) {
        let push = near.elements + Int(number)
        push.pointee.state = .ready
        push.pointee.version = nextVersion()
        ready.insert(
            ReadyQueue.Entry(
                due: push.pointee.due,
                sequence: push.pointee.sequence,
                near: number,
                version: push.pointee.version
            ),
            band: Int(push.pointee.priority)
        )
        if ready.count > 4096, ready.count > near.count * 2 { pruneReady() }
    }

    private mutating func pruneReady() {
        let elements = near.elements
        ready.prune { elements[Int($0.near)].version == $0.version }
    }

    @inline(__always)
    mutating func nextVersion() -> UInt32 {
        version &+= 1
        return version
    }

    /// Puts a pending push where its due time belongs.
    @inline(__always)
    mutating func file(_ number: UInt32) {
        let push = near.elements + Int(number)
        if push.pointee.due <= wheel.now {
            makeReady(number)
        } else {
            push.pointee.state = .scheduled
            push.pointee.timer = wheel.insert(due: push.pointee.due, value: number)
        }
    }

    /// Takes a push out of the wheel or the ready queue.
    @inline(__always)
    mutating func unfile(_ number: UInt32) {
        let push = near.elements + Int(number)
        switch push.pointee.state {
        case .scheduled: wheel.remove(push.pointee.timer)
        case .inFlight:
            leases.remove(push.pointee.timer)
            inFlight -= 1
        case .ready, .parked, .free: break
        }
        push.pointee.timer = .none
        push.pointee.version = nextVersion()
    }

    // MARK: Finding

    func slot(of hash: PushHash) -> UInt32? {
        index.find(hash.fingerprint) { slots.elements[Int($0)].matches(hash) }
    }

    func hash(_ id: PushID) -> PushHash {
        var text = id.text
        return text.withUTF8 { key.hash(UnsafeRawBufferPointer($0)) }
    }

    /// The packed record of a near push.
    func header(_ place: RecordPlace) -> PushHeader {
        UnsafeRawPointer(arena.pointer(place)).loadUnaligned(as: PushHeader.self)
    }

    func idBytes(_ place: RecordPlace) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: arena.pointer(place) + PushHeader.bytes,
            count: Int(header(place).idLength)
        )
    }

    func push(_ place: RecordPlace, due: Int64) -> Push {
        let bytes = arena.bytes(place, Int(header(place).length))
        var push = bytes.withMemoryRebound(to: UInt8.self) { buffer in
            // The record was checked when it was packed, or with its frame or block.
            guard let record = PushRecord(buffer.span, at: 0) else {
                fatalError("a record in memory is damaged")
            }
            return record.push(in: buffer.span)
        }
        push.due = Timestamp(milliseconds: due)
        return push
    }

    // MARK: Ending

    /// Ends a pending push: nothing of it remains but the bytes on disk, which no longer count.
    mutating func remove(slot: UInt32, hash: PushHash) {
        let entry = slots.elements[Int(slot)]
        if entry.isNear {
            drop(near: entry.ordinal)
        } else {
            merges.forget(slot, andRemove: true)
            runs.kill(run: entry.run, ordinal: entry.ordinal)
        }
        accounts.count(entry.account, -1)
        load.count(entry.due, -1)
        index.remove(hash.fingerprint, slot: slot)
        slots.giveBack(slot)
    }

    /// Ends one version of a push; its slot is the caller's business.
    mutating func drop(near number: UInt32) {
        let push = near.elements[Int(number)]
        unfile(number)
        if push.newer != NearPush.none { drop(near: push.newer) }
        leaveMerge(number)
        if push.homeRun != 0 { runs.kill(run: push.homeRun, ordinal: push.homeOrdinal) }
        arena.release(push.record.chunk)
        near.giveBack(number)
    }

    @inline(__always)
    mutating func markDirty(_ number: UInt32) {
        near.elements[Int(number)].isDrafted = false
        guard !near.elements[Int(number)].isDirty else { return }
        near.elements[Int(number)].isDirty = true
        dirty.append(number)
    }

    /// Makes a due time of a pending push known everywhere that counts it.
    mutating func move(slot: UInt32, due: Int64) {
        load.count(slots.elements[Int(slot)].due, -1)
        load.count(due, 1)
        slots.elements[Int(slot)].due = due
    }
}
