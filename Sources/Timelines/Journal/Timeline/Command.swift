import BelfryCore

/// What a lane's thread is told.
enum Command: Sendable {
    case schedule(ScheduleCall, Reply<[ScheduleOutcome]>)
    case cancel([PushID], Reply<[CancelOutcome]>)
    case find([PushID], Reply<[Pending?]>)
    case claim(limit: Int, lease: Duration, Reply<ClaimBatch>)
    case settle([Settlement], Reply<[SettleOutcome]>)
    case extend([ClaimToken], lease: Duration, Reply<[ExtendOutcome]>)
    case nextDue(Reply<Timestamp?>)
    case forecast(from: Timestamp, to: Timestamp, bucket: Duration, Reply<[Int]>)
    case counts(Reply<TimelineCounts>)
    /// A group is on disk, or has failed: then these still wait for an answer.
    case written(WriteGroup, StorageError?, [Answer])
    case checkpointed(CheckpointResult)
    /// More of the last checkpoint is to be taken note of.
    case adopt
    /// What comes due soon is to be read into memory.
    case lookAhead
    /// A copy of everything acknowledged is to be written into another folder; the answer is its bytes.
    case copy(to: String, Reply<Int>)
    /// The copy is written, or has failed.
    case copied
    case close(Reply<Void>?)
}

typealias Reply<Value> = CheckedContinuation<Result<Value, TimelineError>, Never>

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
