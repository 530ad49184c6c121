import BelfryCore

/// Drives one lane: takes what has come, lets the lane decide all of it, hands the frames to the disk thread, and while that writes and syncs,
/// takes what comes next. So a group is as large as the disk is slow, and no timer is needed.
struct LaneThread<Disk: Storage>: ~Copyable {
    var lane: Lane<Disk>
    /// Among the lanes of the timeline.
    private let number: Int
    let inbox: Mailbox<Command>
    private let outbox: Mailbox<DiskJob>
    private let clock: any WallClock
    private let board: AlarmBoard
    let tell: @Sendable (DamagedBlock) -> Void

    /// Who waits for what was decided since the last group.
    private var answers: [Answer] = []
    private var isWriting = false
    private var isCheckpointing = false
    private var isCopying = false
    var isChecking = false
    /// Told to whoever reads beside the lane.
    let stopping = Stopping()
    /// Copies that have been asked for.
    private var copies: [(target: DiskStorage, begun: Reply<Void>, reply: Reply<CopyReport>)] = []
    /// Who waits for the end.
    private var closing: Reply<Void>?
    private var isClosing = false
    /// Why nothing can be relied on any more.
    var failure: TimelineError?
    /// How often memory was built anew: acceptance numbers were taken back then, and are given again.
    private var failures = 0

    init(
        _ lane: consuming Lane<Disk>,
        number: Int,
        inbox: Mailbox<Command>,
        clock: any WallClock,
        board: AlarmBoard,
        damage tell: @escaping @Sendable (DamagedBlock) -> Void
    ) {
        self.lane = lane
        self.number = number
        self.inbox = inbox
        self.clock = clock
        self.board = board
        self.tell = tell
        outbox = Mailbox()
    }

    /// Returns when the timeline has been closed.
    mutating func run() {
        startDiskThread()
        var batch: [Command] = []
        checkRuns()
        while !isClosing || isWriting || isCheckpointing || isCopying || isChecking
            || lane.isAdopting || !answers.isEmpty
        {
            inbox.receive(into: &batch)
            for command in batch { handle(command) }
            checkpointIfDue()
            copyIfAsked()
            tellDamage()
            // Whoever hears an answer finds the board up to date.
            if failure == nil { board.publish(lane.nextDue(at: Moment(clock)), of: number) }
            handOver()
        }
        outbox.send(.stop)
        for copy in copies {
            copy.begun.resume(returning: .failure(LaneSet.closed))
            copy.reply.resume(returning: .failure(LaneSet.closed))
        }
        if failure == nil { lane.markClosed() }
        lane.close()
        lane.disk.release()
        board.close()
        closing?.resume(returning: .success(()))
    }

    // MARK: Disk

    private func startDiskThread() {
        let disk = lane.disk
        let inbox = inbox
        let outbox = outbox
        startThread {
            var batch: [DiskJob] = []
            while true {
                outbox.receive(into: &batch)
                for job in batch {
                    guard case .write(let group, let answers) = job else { return }
                    write(group, answers, to: disk, tell: inbox)
                }
            }
        }
    }

    /// Gives everything decided so far to the disk thread, unless that is at work.
    private mutating func handOver() {
        guard !isWriting, !answers.isEmpty || lane.hasFrames else { return }
        let group = lane.takeGroup()
        let waiting = answers
        answers.removeAll(keepingCapacity: true)
        guard !group.frames.isEmpty else {
            for answer in waiting { answer.give(failure) }
            return
        }
        isWriting = true
        outbox.send(.write(group, waiting))
    }

    private mutating func written(
        _ group: WriteGroup,
        _ error: StorageError?,
        _ waiting: [Answer]
    ) {
        isWriting = false
        lane.finishGroup()
        lane.closeRetired()
        guard let error else { return }
        let unanswered = waiting + answers
        answers.removeAll()
        recover(from: error, group)
        // Only now: whoever hears of the failure and looks must not find what failed.
        for answer in unanswered { answer.give(TimelineError(error)) }
    }

    /// Begins a checkpoint when the journal is long enough. The old segment must be whole on disk before the new one exists, so that the
    /// group at hand is written here.
    private mutating func checkpointIfDue() {
        guard failure == nil, !isWriting, !isCheckpointing, !isCopying, lane.wantsCheckpoint else {
            return
        }
        let group = lane.takeGroup()
        var error: StorageError?
        do throws(StorageError) { try group.write(to: lane.disk) } catch let reason {
            error = reason
        }
        let waiting = answers
        answers.removeAll(keepingCapacity: true)
        if error == nil { for answer in waiting { answer.give(nil) } }
        written(group, error, waiting)
        guard error == nil else { return }
        // Without room for a new segment the journal simply goes on.
        guard let plan = try? lane.beginCheckpoint(at: Moment(clock)) else {
            failure = lane.broken
            return
        }
        isCheckpointing = true
        let disk = lane.disk
        let inbox = inbox
        startThread { inbox.send(.checkpointed(plan.write(to: disk)), always: true) }
    }

    /// Between two groups, so that everything acknowledged is in the copy. The lane goes on while it is written; only checkpoints wait.
    private mutating func copyIfAsked() {
        guard !isWriting, !isCheckpointing, !isCopying, !copies.isEmpty else { return }
        let asked = copies.removeFirst()
        let plan: LaneCopy
        do throws(TimelineError) { plan = try lane.copy() } catch {
            asked.begun.resume(returning: .failure(error))
            return asked.reply.resume(returning: .failure(error))
        }
        asked.begun.resume(returning: .success(()))
        isCopying = true
        let disk = lane.disk
        let inbox = inbox
        startThread {
            let result: Result<CopyReport, TimelineError>
            do throws(TimelineError) {
                let report = try plan.write(from: disk, to: asked.target)
                for block in report.damaged {
                    guard let run = FileFormat.runNumber(block.file) else { continue }
                    inbox.send(.suspect(run: run, block: block.number))
                }
                result = .success(report)
            } catch { result = .failure(error) }
            asked.reply.resume(returning: result)
            inbox.send(.copied, always: true)
        }
    }

    private mutating func checkpointed(_ result: CheckpointResult) {
        isCheckpointing = false
        lane.endCheckpoint(result, at: Moment(clock))
        adopt()
    }

    private mutating func adopt() {
        lane.adoptSome(at: Moment(clock))
        if lane.isAdopting { inbox.send(.adopt, always: true) }
        let nameless = lane.takeNameless()
        guard !nameless.isEmpty else { return }
        let disk = lane.disk
        startThread { for file in nameless { disk.discard(file) } }
    }

    /// What was decided since the failure never reached the disk: memory is built anew from what did.
    private mutating func recover(from error: StorageError, _ group: WriteGroup) {
        let reason = TimelineError(error)
        failures += 1
        guard !isCheckpointing else {
            failure = TimelineError(.io, "\(reason.message), during a checkpoint; open it again")
            return
        }
        do throws(TimelineError) { try lane.undo(group, at: Moment(clock)) } catch {
            failure = TimelineError(.io, "\(reason.message); and reopening failed: \(error)")
        }
    }

    // MARK: Calls

    private mutating func handle(_ command: Command) {
        switch command {
        case .written(let group, let error, let waiting): written(group, error, waiting)
        case .checkpointed(let result): checkpointed(result)
        case .adopt: adopt()
        case .lookAhead: lookAhead()
        case .suspect(let run, let block): examine(run, block)
        case .checked: isChecking = false
        case .copied: isCopying = false
        case .close(let reply): close(reply)
        default:
            if let failure { command.refuse(failure) } else { perform(command) }
        }
    }

    private mutating func perform(_ command: Command) {
        let moment = Moment(clock)
        switch command {
        case .schedule(let call, let reply):
            decide(reply) { (lane) throws(TimelineError) in try lane.schedule(call, at: moment) }
        case .cancel(let ids, let reply):
            decide(reply) { (lane) throws(TimelineError) in try lane.cancel(ids, at: moment) }
        case .settle(let drafts, let reply):
            decide(reply) { (lane) throws(TimelineError) in try lane.settle(drafts, at: moment) }
        case .displace(let ids, let held, let reply):
            let isKnown = held.failures == failures
            decide(reply) { (lane) throws(TimelineError) in
                guard isKnown else { throw HeldElsewhere.isUnknown }
                return try lane.cancel(ids, held, at: moment)
            }
        case .probe(let others, let reply):
            var held = lane.held(of: others, lane: number)
            held.failures = failures
            reply.resume(returning: .success(held))
        case .find(let ids, let reply):
            look(reply) { (lane) throws(TimelineError) in
                lane.advance(to: moment)
                var found: [Pending?] = []
                for id in ids { found.append(try lane.find(id)) }
                return found
            }
        case .page(let first, let limit, let reply):
            look(reply) { (lane) throws(TimelineError) in
                lane.advance(to: moment)
                return try lane.page(from: first, limit: limit)
            }
        case .withdraw(let pushes, let reply):
            decide(reply) { (lane) throws(TimelineError) in
                try lane.withdraw(pushes, at: moment)
            }
        case .place(let pushes, let reply):
            decide(reply) { (lane) throws(TimelineError) in try lane.place(pushes, at: moment) }
        case .awaitsJoining(let pushes, let reply):
            look(reply) { (lane) throws(TimelineError) in try lane.awaitsJoining(pushes) }
        case .claim(let call, let reply):
            let (board, number) = (board, number)
            look(reply) { (lane) throws(TimelineError) in
                let batch = try lane.claim(call, at: moment)
                board.publish(batch.nextDue, of: number)
                return batch
            }
        case .offer(let call, let reply):
            look(reply) { (lane) throws(TimelineError) in
                try lane.offer(call, at: moment)
            }
        case .extend(let tokens, let lease, let reply):
            look(reply) { (lane) throws(TimelineError) in
                try lane.extend(tokens, lease: lease, at: moment)
            }
        case .nextDue(let reply):
            look(reply) { (lane) throws(TimelineError) in
                lane.advance(to: moment)
                return lane.nextDue(at: moment)
            }
        case .forecast(let from, let to, let bucket, let reply):
            look(reply) { (lane) throws(TimelineError) in
                try lane.forecast(from: from, to: to, bucket: bucket)
            }
        case .counts(let reply):
            look(reply) { (lane) throws(TimelineError) in
                lane.advance(to: moment)
                return lane.counts()
            }
        case .damage(let reply):
            look(reply) { (lane) throws(TimelineError) in lane.runs.damage }
        case .copy(let target, let begun, let reply): copies.append((target, begun, reply))
        case .written, .checkpointed, .adopt, .lookAhead, .suspect, .checked, .copied, .close: break
        }
    }

    /// In slices, so that calls need not wait.
    private mutating func lookAhead() {
        guard failure == nil else { return }
        // Damage is told by the claim that needs what cannot be read.
        if (try? lane.lookAhead(at: Moment(clock))) == true { inbox.send(.lookAhead) }
    }

    /// A call whose answer waits for the disk.
    private mutating func decide<Value: Sendable>(
        _ reply: Reply<Value>,
        _ body: (inout Lane<Disk>) throws(TimelineError) -> Value
    ) {
        do throws(TimelineError) { answers.append(Answer(reply, try body(&lane))) } catch {
            reply.resume(returning: .failure(error))
        }
    }

    /// A call that changes nothing on disk.
    private mutating func look<Value>(
        _ reply: Reply<Value>,
        _ body: (inout Lane<Disk>) throws(TimelineError) -> sending Value
    ) {
        do throws(TimelineError) {
            let value = try body(&lane)
            reply.resume(returning: .success(value))
        } catch {
            reply.resume(returning: .failure(error))
        }
    }

    private mutating func close(_ reply: Reply<Void>?) {
        inbox.refuse()
        stopping.begin()
        closing = reply
        isClosing = true
    }
}

/// On the disk thread: answers as soon as the bytes are safe, without another hop.
private func write(
    _ group: WriteGroup,
    _ answers: [Answer],
    to disk: some Storage,
    tell inbox: Mailbox<Command>
) {
    var failure: StorageError?
    do throws(StorageError) { try group.write(to: disk) } catch { failure = error }
    if failure == nil { for answer in answers { answer.give(nil) } }
    inbox.send(.written(group, failure, failure == nil ? [] : answers), always: true)
}
