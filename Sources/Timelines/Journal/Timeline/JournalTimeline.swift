package import BelfryCore

/// The embedded timeline: pending pushes in one folder of one machine, durable by append-only journals (promises T1 to T13).
///
/// The pushes are spread over lanes by a hash of their recipient. A lane is a thread, a journal, an index and a wheel of its own; lanes share
/// nothing, so that nothing is locked, and all pushes of one person are in one lane, which alone decides their order and how they merge.
///
/// A call costs one trip to each lane concerned and, where it changes anything, one shared write and `fdatasync` in each. Calls from many
/// tasks at once are cheapest: they share that sync.
package final class JournalTimeline: Timeline {
    /// Says when a look is worth while, to any number of waiters.
    package let alarm: JournalAlarm
    /// What this opening cut off the journals' ends: to be told to whoever runs it.
    package let dropped: [DroppedTail]
    let lanes: LaneSet
    let board: AlarmBoard
    let key: HashKey
    let clock: any WallClock
    let displacing = DisplaceGate()
    /// `nil` for a single lane right on a storage.
    let layout: Layout?

    /// How many lanes the pushes are spread over.
    package var laneCount: Int { lanes.count }

    private init(
        _ lanes: LaneSet,
        _ board: AlarmBoard,
        _ opened: [OpenedLane],
        _ layout: Layout?,
        _ clock: any WallClock,
        lookAhead: Duration
    ) {
        self.lanes = lanes
        self.board = board
        key = opened[0].key
        dropped = opened.flatMap(\.dropped)
        self.layout = layout
        self.clock = clock
        alarm = JournalAlarm(board: board, clock: clock, lanes: lanes, lookAhead: lookAhead)
    }

    deinit {
        // The threads must not outlive the last user. Whoever wants to know when they have ended calls `close`.
        lanes.close()
    }

    /// Opens a folder, or begins one; replays what the last owner left. Spreads the pushes anew where the configuration says another number of lanes
    /// than the folder.
    ///
    /// - Throws: ``TimelineError`` with `locked`, `corrupt` (naming file and offset), `newerFormat`, `io` or `full`.
    package static func open(
        folder: String,
        configuration: JournalConfiguration = JournalConfiguration(),
        clock: any WallClock = SystemClock()
    ) async throws(TimelineError) -> JournalTimeline {
        let disk = try DiskStorage(folder: folder)
        return try await open(root: disk, configuration: configuration, clock: clock)
    }

    /// Opens a folder on any storage, with the lanes' folders in it.
    package static func open<Disk: Storage>(
        root: Disk,
        configuration: JournalConfiguration = JournalConfiguration(),
        clock: any WallClock
    ) async throws(TimelineError) -> JournalTimeline {
        if let lanes = configuration.lanes, !(1...Layout.lanesMax ~= lanes) {
            throw TimelineError(.invalid, "lanes: 1 to \(Layout.lanesMax) are allowed")
        }
        let found: Result<LaneFolders<Disk>, TimelineError> = await withCheckedContinuation {
            reply in
            // Not on the pool that tasks share: it may read and write much.
            startThread {
                do throws(TimelineError) {
                    let folders = try LaneFolders.open(root, configuration, at: Moment(clock))
                    reply.resume(returning: .success(folders))
                } catch {
                    reply.resume(returning: .failure(error))
                }
            }
        }
        // From here on the lanes own the folder.
        defer { root.release() }
        let folders = try found.get()
        return try await open(
            folders.disks,
            folders.layout.folders,
            folders.layout,
            configuration.shared(among: folders.disks.count),
            clock
        )
    }

    /// Opens a single lane right on a storage: what simulations put a faulty one under.
    package static func open(
        disk: some Storage,
        configuration: JournalConfiguration = JournalConfiguration(),
        clock: any WallClock
    ) async throws(TimelineError) -> JournalTimeline {
        try await open([disk], [""], nil, configuration, clock)
    }

    /// - Parameter names: of the lanes' folders; an empty one stands for a lane that may be begun.
    private static func open(
        _ disks: [some Storage],
        _ names: [String],
        _ layout: Layout?,
        _ configuration: JournalConfiguration,
        _ clock: any WallClock
    ) async throws(TimelineError) -> JournalTimeline {
        let board = AlarmBoard(lanes: disks.count)
        let openings = names.enumerated().map { number, name in
            LaneOpening(
                number: number,
                name: name,
                configuration: configuration,
                clock: clock,
                board: board
            )
        }
        let opened = Gathering<OpenedLane>(disks.count)
        for (opening, disk) in zip(openings, disks) {
            let reply = opened[opening.number]
            startThread { opening.run(disk, beginning: opening.name.isEmpty, reply) }
        }
        let keys = await opened.all()
        let lanes = LaneSet(openings.map(\.inbox))
        do throws(TimelineError) {
            return JournalTimeline(
                lanes,
                board,
                try keys.values(),
                layout,
                clock,
                lookAhead: configuration.lookAhead
            )
        } catch {
            let left = keys.indices.filter { if case .success = keys[$0] { true } else { false } }
            let closed = Gathering<Void>(left.count)
            for (place, lane) in left.enumerated() { lanes.tell(lane, .close(closed[place])) }
            _ = await closed.all()
            throw error
        }
    }

    /// Finishes what was accepted, and gives the folder free. Calls that come later throw `closed`.
    package func close() async { _ = await lanes.askAll { .close($0) } }
}
