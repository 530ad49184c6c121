import BelfryCore
import BelfryTimingWheel

/// The engine: a synchronous state machine over a disk, driven by one thread. It never waits for anything but the disk.
///
/// A call changes memory and leaves a frame in ``journal``; the caller must see the frame on disk (``takeGroup()``, write,
/// ``finish(_:)``) before it tells anybody. Claims and leases are not journalled: after a crash, what was in flight is due again.
///
/// Every pending push has a slot (``Slot``), found by the hash of its id. In the near window it also has a ``NearPush`` and its
/// packed record in the arena; beyond, only the slot: its record lies in the journal (``Drafts``) or, after a checkpoint, in a run.
struct Lane<Disk: Storage>: ~Copyable {
    let disk: Disk
    let limits: JournalConfiguration
    /// In milliseconds, as every push is compared with them.
    let farWindow: Int64
    let horizon = PushLimits.horizon.milliseconds

    var key: HashKey
    var index = PushIndex()
    var slots = Slab<Slot>()
    var near = Slab<NearPush>()
    var arena = Arena()
    var ready = ReadyQueue()
    /// Of the last claim: what it has left to wait is nobody's next until then.
    var deferral: Deferral?
    var wheel: TimingWheel
    /// Leases, by the monotonic clock.
    var leases: TimingWheel
    var merges = MergeGroups()
    var accounts = Accounts()
    var load = LoadAhead()
    var journal: JournalWriter
    var runs = RunSet()
    /// Far pushes since the last checkpoint began.
    var drafts = Drafts(base: 0)
    /// Those that a checkpoint is writing into runs, or that slots are being pointed away from.
    var sorting: Drafts?

    /// The next acceptance number.
    var sequence: UInt64 = 1
    /// From one acceptance number to the next: no two lanes of a timeline give the same.
    let stride: UInt64
    /// The next fencing token.
    var generation: UInt64
    /// The next ``NearPush/version``.
    var version: UInt32 = 0
    var inFlight = 0
    /// Near pushes that the next checkpoint must look at.
    var dirty: [UInt32] = []
    /// Bytes journalled since the last checkpoint began.
    var journalled = 0
    /// Of all pushes scheduled since the opening: what one takes in the journal follows from it.
    var scheduled = (count: 0, bytes: 0)
    var checkpointing = false
    /// The oldest journal segment that the manifest on disk needs.
    var firstSegment: UInt64
    var nextRun: UInt32
    var adoptions: [Adoption] = []
    var sorted: SortedDrafts?
    /// Segments that nothing is appended to any more, but whose last group may still be on its way.
    var retired: [FileID] = []
    /// Files that have no name any more: closing them gives their room back, which takes long. Whoever drives
    /// the lane closes them where nothing waits (``takeNameless()``).
    var nameless: [FileID] = []

    /// Between the journal's records some are missing, as in a repair: what follows them is believed as far as it still means something.
    var isLenient = false
    /// The highest number seen where records are missing.
    var highestSequence: UInt64 = 0

    /// What this opening cut off.
    var dropped: [DroppedTail] = []

    /// Blocks that were found damaged since somebody last asked.
    var newDamage: [DamagedBlock] = []

    /// Why nothing more may be journalled here.
    var broken: TimelineError?

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
        let push = near.pointer(number)
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
        ready.prune { near.pointer($0.near).pointee.version == $0.version }
    }

    @inline(__always)
    mutating func nextVersion() -> UInt32 {
        version &+= 1
        return version
    }

    /// Puts a pending push where its due time belongs.
    @inline(__always)
    mutating func file(_ number: UInt32) {
        let push = near.pointer(number)
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
        let push = near.pointer(number)
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
        index.find(hash.fingerprint) { slots.pointer($0).pointee.matches(hash) }
    }

    func hash(_ id: PushID) -> PushHash {
        var text = id.text
        return text.withUTF8 { key.hash(UnsafeRawBufferPointer($0)) }
    }

    /// The head of a packed record.
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
        push(arena.bytes(place, Int(header(place).length)), due: due)
    }

    func push(_ bytes: UnsafeRawBufferPointer, due: Int64) -> Push {
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
        let entry = slots.pointer(slot).pointee
        forget(entry, of: slot)
        accounts.count(entry.account, -1)
        load.count(entry.due, -1)
        index.remove(hash.fingerprint, slot: slot)
        slots.giveBack(slot)
    }

    /// Lets go of what a slot names: it ends, or a newer version takes its place.
    mutating func forget(_ entry: Slot, of slot: UInt32) {
        if entry.isNear {
            drop(near: entry.ordinal)
        } else if entry.isDrafted {
            dropDraft(entry)
        } else {
            merges.forget(slot, andRemove: true)
            runs.kill(run: entry.run, ordinal: entry.ordinal)
        }
    }

    /// Ends one version of a push; its slot is the caller's business.
    mutating func drop(near number: UInt32) {
        let push = near.pointer(number).pointee
        unfile(number)
        if push.newer != NearPush.none { drop(near: push.newer) }
        leaveMerge(number)
        if push.homeRun != 0 { runs.kill(run: push.homeRun, ordinal: push.homeOrdinal) }
        arena.release(push.record.chunk)
        near.giveBack(number)
    }

    @inline(__always)
    mutating func markDirty(_ number: UInt32) {
        near.pointer(number).pointee.isDrafted = false
        guard !near.pointer(number).pointee.isDirty else { return }
        near.pointer(number).pointee.isDirty = true
        dirty.append(number)
    }

    /// Makes a due time of a pending push known everywhere that counts it.
    mutating func move(slot: UInt32, due: Int64) {
        load.count(slots.pointer(slot).pointee.due, -1)
        load.count(due, 1)
        slots.pointer(slot).pointee.due = due
    }
}
