import BelfryCore

/// What a lane has to know to begin its work, on a thread of its own.
struct LaneOpening: Sendable {
    let number: Int
    /// Said in front of what is wrong; empty where there is one lane only.
    let name: String
    let configuration: JournalConfiguration
    let clock: any WallClock
    let board: AlarmBoard
    let inbox = Mailbox<Command>()

    /// The body of the lane's thread.
    func run(_ disk: some Storage, beginning: Bool, _ reply: Reply<OpenedLane>) {
        do throws(TimelineError) {
            let lane = try Lane.open(
                disk,
                limits: configuration,
                at: Moment(clock),
                generation: ClaimToken.firstGeneration(lane: number),
                beginning: beginning
            )
            reply.resume(returning: .success(OpenedLane(key: lane.key, dropped: dropped(by: lane))))
            var thread = LaneThread(
                lane,
                number: number,
                inbox: inbox,
                clock: clock,
                board: board,
                damage: { configuration.tellDamage(named($0)) }
            )
            thread.run()
        } catch {
            disk.release()
            reply.resume(returning: .failure(named(error)))
        }
    }

    private func named(_ block: DamagedBlock) -> DamagedBlock {
        var block = block
        if !name.isEmpty { block.file = "\(name)/\(block.file)" }
        return block
    }

    private func dropped(by lane: borrowing Lane<some Storage>) -> [DroppedTail] {
        lane.dropped.map { tail in
            var tail = tail
            if !name.isEmpty { tail.file = "\(name)/\(tail.file)" }
            return tail
        }
    }

    /// What is wrong with a file begins with its name.
    private func named(_ error: TimelineError) -> TimelineError {
        guard !name.isEmpty else { return error }
        let isAboutFile = error.code == .corrupt || error.code == .newerFormat
        return TimelineError(error.code, "\(name)\(isAboutFile ? "/" : ": ")\(error.message)")
    }
}

/// What a lane's thread tells once it is open.
struct OpenedLane: Sendable {
    var key: HashKey
    var dropped: [DroppedTail]
}

extension ClaimToken {
    /// The number of the lane lies in the uppermost bits of its tokens' generations; below it there is room for more claims than there will be.
    private static let laneShift: UInt64 = 58

    /// Where a lane's fencing tokens begin: by chance, so that those of an earlier opening are stale.
    static func firstGeneration(lane: Int) -> UInt64 {
        UInt64(lane) << laneShift | .random(in: 0..<1 << (laneShift - 1))
    }

    /// Which lane gave it; no lane at all, perhaps, if another opening did.
    var lane: Int { Int(generation >> Self.laneShift) }
}
