import BelfryCore

/// What a lane's thread is told.
enum Command: Sendable {
    case schedule(ScheduleCall, Reply<[ScheduleOutcome]>)
    case cancel([PushID], Reply<[CancelOutcome]>)
    /// Cancels what another lane holds a newer version of: see ``Lane/cancel(_:before:at:)``.
    case displace([PushID], HeldElsewhere, Reply<[CancelOutcome]>)
    case probe(OtherLanes, Reply<HeldElsewhere>)
    case find([PushID], Reply<[Pending?]>)
    /// From a slot on: see ``Lane/page(from:limit:)``.
    case page(from: UInt32, limit: Int, Reply<LanePage>)
    case withdraw([Pending], Reply<[Bool]>)
    case place([Pending], Reply<[Bool]>)
    case awaitsJoining([Push], Reply<[Bool]>)
    case claim(ClaimCall, Reply<ClaimBatch>)
    case offer(ClaimCall, Reply<ClaimOffer>)
    case settle([SettleDraft], Reply<[SettleOutcome]>)
    case extend([ClaimToken], lease: Duration, Reply<[ExtendOutcome]>)
    case nextDue(Reply<Timestamp?>)
    case forecast(from: Timestamp, to: Timestamp, bucket: Duration, Reply<[Int]>)
    case counts(Reply<TimelineCounts>)
    /// Which blocks are set aside.
    case damage(Reply<[DamagedBlock]>)
    /// A block seems to be damaged.
    case suspect(run: UInt32, block: Int)
    /// All runs have been read through.
    case checked
    /// A group is on disk, or has failed: then these still wait for an answer.
    case written(WriteGroup, StorageError?, [Answer])
    case checkpointed(CheckpointResult)
    /// More of the last checkpoint is to be taken note of.
    case adopt
    /// What comes due soon is to be read into memory.
    case lookAhead
    /// A copy of everything acknowledged is to be written into another folder: the first answer comes when it is settled what is in it, the second,
    /// what it holds, when it is written.
    case copy(to: DiskStorage, Reply<Void>, Reply<CopyReport>)
    /// The copy is written, or has failed.
    case copied
    case close(Reply<Void>?)
}

/// What a worker may have.
struct ClaimCall: Sendable {
    var limit: Int
    var lease: Duration
    var deferral: Deferral?

    /// The same for fewer.
    func upTo(_ limit: Int) -> ClaimCall {
        ClaimCall(limit: limit, lease: lease, deferral: deferral)
    }
}

/// An answer that waits for the disk.
struct Answer: Sendable {
    /// Called with `nil` once everything before is durable.
    let give: @Sendable (TimelineError?) -> Void

    init<Value: Sendable>(_ reply: Reply<Value>, _ value: Value) {
        give = { error in reply.resume(returning: error.map { .failure($0) } ?? .success(value)) }
    }
}

/// What the disk thread is told.
enum DiskJob: Sendable {
    case write(WriteGroup, [Answer])
    case stop
}
