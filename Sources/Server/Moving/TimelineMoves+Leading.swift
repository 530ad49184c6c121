import BelfryCore
import BelfryMoving
import BelfryRecords
import Logging

extension TimelineMoves {
    /// Follows, and leads where that falls to this server, until cancelled.
    func run() async throws(CancellationError) {
        while true {
            do {
                // Alone with its records, a server makes every change itself.
                if isShared || arrangement.phase != .single { try await follow() }
                try await takeStep()
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                note(problem: "\(error)")
                logger.error("a move between timelines", metadata: ["error": "\(error)"])
            }
            let isMoving = arrangement.phase != .single
            try await clock.sleep(for: isMoving ? .milliseconds(200) : pause)
        }
    }

    /// Between two looks while nothing moves.
    private var pause: Duration {
        let every = configuration.records.pollInterval
        return every > .zero ? min(every, .seconds(2)) : .seconds(2)
    }

    /// What is to be done next, if this server leads.
    private func takeStep() async throws {
        let now = arrangement
        guard now.phase != .single else { return try await startIfSet() }
        guard try await leads() else { return }
        switch now.phase {
        case .single: return
        case .joining:
            guard try await isKnownToAll(now) else { return }
            try await advance(now, to: .moving)
        case .moving:
            guard try await isKnownToAll(now), try await moveAll(now) else { return }
            try await advance(now, to: .leaving)
        case .leaving:
            guard try await isKnownToAll(now), try await moveAll(now) else { return }
            try await advance(now, to: .closing)
        case .closing:
            guard try await isKnownToAll(now) else { return }
            try await close(now)
        }
    }

    private func advance(_ now: Arrangement, to phase: Arrangement.Phase) async throws {
        var next = now
        next.phase = phase
        try await put(next, by: node)
    }

    /// Begins what the live setting asks for: whoever sees it first.
    private func startIfSet() async throws {
        guard wantsShards(arrangement) != nil else { return }
        // Somebody may have set something else since.
        try await live.refresh()
        guard let shards = wantsShards(arrangement) else { return }
        try await start(to: nil, shards: shards, by: "config")
    }

    /// What the live setting asks for, where that is another number.
    func wantsShards(_ now: Arrangement) -> Int? {
        guard now.phase == .single, now.from.kind == .redis, let wanted = live.settings.shards,
            wanted != now.from.shards
        else { return nil }
        return wanted
    }

    /// Moves what is in the source, page after page.
    ///
    /// - Returns: whether nothing is left there; `false` also where the arrangement has changed meanwhile.
    private func moveAll(_ now: Arrangement) async throws -> Bool {
        let mover = mover
        let repaired = try await mover.repair()
        if repaired > 0 {
            logger.notice("a broken move was repaired", metadata: ["pushes": "\(repaired)"])
        }
        var mark: PageMark?
        var looked = clock.steadyMilliseconds()
        repeat {
            let step = try await mover.step(after: mark, limit: Self.stepPushes)
            note(moved: step.moved)
            mark = step.next
            guard clock.steadyMilliseconds() - looked >= 500 else { continue }
            looked = clock.steadyMilliseconds()
            try await follow()
            guard arrangement.epoch == now.epoch, try await leads() else { return false }
        } while mark != nil
        guard let source = timeline.sides.source else { return false }
        let left = try await source.engine.counts()
        if left.damaged > 0 {
            note(problem: "\(left.damaged) pushes are damaged and cannot be moved: see /readyz")
        }
        return left.scheduled + left.inFlight == 0
    }

    /// Pushes whose message may have been sent, by a server that has crashed, stay: who claims them finds that out by their number. They are due, and end by themselves. What only
    /// waits takes its permission along.
    private var mover: Mover {
        let records = records
        return Mover(timeline) { ids throws(TimelineError) in
            do throws(RecordsError) {
                let found = try await records.ledger.reservations(of: ids)
                return Set(found.filter(\.mayBeSent).map(\.push))
            } catch { throw TimelineError(error) }
        } arrived: { pushes, side throws(TimelineError) in
            try await Self.renumber(pushes, in: side, records)
        }
    }

    /// Reservations name the version of a push by its number, which is another one in another timeline.
    private static func renumber(_ pushes: [Pending], in side: Side, _ records: Records)
        async throws(TimelineError)
    {
        let numbers = Dictionary(
            pushes.map { ($0.push.id, $0.sequence) },
            uniquingKeysWith: { $1 }
        )
        let known: [(push: PushID, sequence: UInt64, mayBeSent: Bool)]
        do throws(RecordsError) {
            known = try await records.ledger.reservations(of: pushes.map(\.push.id))
        } catch { throw TimelineError(error) }
        let held = known.filter { numbers[$0.push] == $0.sequence }
        guard !held.isEmpty else { return }
        let new = try await side.engine.find(held.map(\.push))
        let changes = zip(held, new).compactMap { old, new in
            new.map { (push: old.push, from: old.sequence, to: $0.sequence) }
        }
        do throws(RecordsError) { try await records.ledger.renumber(changes) } catch {
            throw TimelineError(error)
        }
    }

    /// Closes the place that was left for good; if something was put there after all, it is moved first.
    private func close(_ now: Arrangement) async throws {
        var next = now
        let old = try await places.side(now.from)
        if try await old.engine.retire() {
            next.from = now.end
            next.to = nil
            next.phase = .single
            next.goesBack = false
        } else {
            next.phase = .leaving
        }
        try await put(next, by: node)
    }
}
