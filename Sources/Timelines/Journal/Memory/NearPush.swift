import BelfryTimingWheel

/// What memory keeps of a push in the near window: everything but the packed record itself, which lies in the arena.
struct NearPush: SlabElement {
    static let empty = NearPush()
    static let none = UInt32.max

    enum State: UInt8 {
        case free
        /// In the wheel.
        case scheduled
        /// Due, in the ready queue.
        case ready
        case inFlight
        /// The newer version of a push in flight: no slot names it yet.
        case parked
    }

    var due: Int64 = 0
    var sequence: UInt64 = 0
    var accepted: Int64 = 0
    /// The fencing token, while in flight.
    var generation: UInt64 = 0
    /// By the monotonic clock, milliseconds.
    var leaseEnds: Int64 = 0
    /// In the wheel of due times or, in flight, in that of leases.
    var timer = TimingWheel.Handle.none
    var slot: UInt32 = 0
    /// Where the packed record lies.
    var record = RecordPlace(chunk: 0, offset: 0)
    var attempt: UInt32 = 0
    /// The run that holds this very version; 0: only the journal does.
    var homeRun: UInt32 = 0
    var homeOrdinal: UInt32 = 0
    /// The version that waits for the end of the claim.
    var newer = NearPush.none
    /// The merge group's numbers and collected payloads.
    var merge = NearPush.none
    /// Bumped at every change of state, so that entries of the ready queue can be recognised as old.
    var version: UInt32 = 0
    var state = State.free
    var priority: UInt8 = 0
    /// Must be written at the next checkpoint.
    var isDirty = false
    /// A checkpoint is writing it, and it has not changed since.
    var isDrafted = false
    /// In flight, and cancelled.
    var isCancelled = false

    var nextFree: UInt32 {
        get { slot }
        set { slot = newValue }
    }
}

/// A place in the arena.
struct RecordPlace: Hashable, BitwiseCopyable {
    var chunk: UInt32
    var offset: UInt32
}
