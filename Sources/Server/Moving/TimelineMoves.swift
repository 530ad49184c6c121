import BelfryCore
import BelfryMoving
package import BelfryRecords
import Logging
import Synchronization

/// Lets all servers over the same records work by the same arrangement of timelines, and carries moves out.
///
/// The arrangement is a setting with versions. Every server looks for a new one, works by it, and says so with each sign of life; one server leads, and takes the next step when all that
/// live have said so. Who has given no sign of life for long is taken for gone; when it comes back, it looks at the arrangement before it does anything else
/// (``MovingTimeline/trust(until:)``).
package final class TimelineMoves: Sendable {
    private struct State {
        var arrangement: Arrangement
        /// Of every other server: its number, and our steady clock when that was new.
        var seen: [String: (beat: Int, at: Int64)] = [:]
        /// What the leader has moved since it began, and why it cannot go on.
        var moved = 0
        var problem: String?
        /// Whether others lived when we last looked.
        var hasOthers = false
    }

    /// Without a new sign of life for so long, a server is taken for gone.
    static let patience = Lead.patience
    /// Whoever could not look for so long does nothing before it has.
    static let fenceAfter = Duration.seconds(10)
    static let lead = "timeline"
    static let stepPushes = 500

    let records: Records
    let configuration: ServerConfiguration
    let places: OpenPlaces
    let timeline: MovingTimeline
    let live: LiveConfiguration
    let clock: any WallClock
    let logger: Logger
    /// Names this server among those over the same records.
    package let node: String
    /// Several servers may be over the same records.
    let isShared: Bool
    private let leading: Lead
    private let state: Mutex<State>
    /// One look after another: none puts an older arrangement into force again.
    private let following = SharedGate()

    init(
        _ arrangement: Arrangement,
        _ timeline: MovingTimeline,
        _ places: OpenPlaces,
        records: Records,
        configuration: ServerConfiguration,
        live: LiveConfiguration,
        node: String,
        clock: any WallClock,
        logger: Logger
    ) {
        self.timeline = timeline
        self.places = places
        self.records = records
        self.configuration = configuration
        self.live = live
        self.node = node
        self.clock = clock
        self.logger = logger
        isShared = configuration.sharesRecords
        leading = Lead(Self.lead, node: node, records: records, clock: clock)
        state = Mutex(State(arrangement: arrangement))
    }

    /// What this server works by.
    package var arrangement: Arrangement { state.withLock { $0.arrangement } }

    /// What the records say, or, where nothing was ever moved, the configuration.
    static func newest(_ records: Records, _ configuration: ServerConfiguration) async throws
        -> Arrangement
    {
        guard let record = try await records.settings.find(Arrangement.setting) else {
            return Arrangement(from: TimelinePlace(configuration))
        }
        return try Arrangement(record)
    }

    /// Where everything was, or was going, at a moment; `nil`: before all. Where that is not known any more, `nil`.
    func place(at time: Timestamp?) async throws -> TimelinePlace? {
        let history = try await records.settings.history(Arrangement.setting, limit: 1000)
        if let time, let record = history.first(where: { $0.at <= time }) {
            return try Arrangement(record).end
        }
        // The oldest may have been removed, after `records.retention`.
        guard history.last?.version ?? 1 == 1 else { return nil }
        guard let first = history.last else { return TimelinePlace(configuration) }
        return try Arrangement(first).from
    }

    /// Says where the pushes are, if that is not where the configuration says.
    static func tell(
        _ arrangement: Arrangement,
        _ configuration: ServerConfiguration,
        _ logger: Logger
    ) {
        let configured = TimelinePlace(configuration)
        let place = arrangement.end
        guard arrangement.epoch > 0,
            place.shown != configured.shown || place.shards != configured.shards
        else { return }
        logger.notice(
            "the pushes have been moved: where the records say counts, not timeline.url and timeline.shards",
            metadata: ["place": "\(place.words)", "configured": "\(configured.words)"]
        )
    }

    /// In which place pushes are, where that is not what the configuration names; for whoever looks into the records of a stopped server.
    package static func moved(_ records: Records, _ configuration: ServerConfiguration) async throws
        -> String?
    {
        let arrangement = try await newest(records, configuration)
        let configured = TimelinePlace(configuration)
        let isThere =
            arrangement.phase == .single && arrangement.from.shown == configured.shown
            && arrangement.from.shards == configured.shards
        guard arrangement.epoch > 0, !isThere else { return nil }
        let place = arrangement.end.words
        return arrangement.phase == .single ? place : "on their way to \(place)"
    }

    // MARK: Following

    /// Begins to take part.
    func begin() async throws {
        try await follow()
        // Beside others, whoever leads repairs.
        guard !isShared, arrangement.phase != .single else { return }
        let repaired = try await Mover(timeline).repair()
        guard repaired > 0 else { return }
        logger.notice("a broken move was repaired", metadata: ["pushes": "\(repaired)"])
    }

    /// Works by what the records say, and says so.
    ///
    /// - Throws: what keeps it from that; what it worked by stays.
    func follow() async throws { try await following.alone { try await followOnce() } }

    private func followOnce() async throws {
        // First, so that whoever leads from now on waits for this server: then what it reads is at most one step behind.
        if isShared { try await records.timelineNodes.beat(node, epoch: arrangement.epoch) }
        let newest = try await Self.newest(records, configuration)
        if newest.epoch != arrangement.epoch {
            await timeline.use(try await places.sides(newest))
            await places.keep([newest.from, newest.to].compactMap { $0 })
            state.withLock { state in
                if newest.phase != state.arrangement.phase { state.moved = 0 }
                state.arrangement = newest
            }
            if isShared { try await records.timelineNodes.beat(node, epoch: newest.epoch) }
            logger.notice(
                "the timelines in use",
                metadata: [
                    "phase": "\(newest.phase.rawValue)", "epoch": "\(newest.epoch)",
                    "from": "\(newest.from.words)", "to": "\(newest.to?.words ?? "")",
                ]
            )
        }
        if isShared { try await look() }
        fence()
    }

    /// Takes note of who lives.
    private func look() async throws {
        let nodes = try await records.timelineNodes.all()
        let now = clock.steadyMilliseconds()
        state.withLock { state in
            for other in nodes where state.seen[other.node]?.beat != other.beat {
                state.seen[other.node] = (other.beat, now)
            }
        }
        let others = await alive(nodes).filter { $0.node != node }
        state.withLock { $0.hasOthers = !others.isEmpty }
    }

    /// Beside others nothing is done by an arrangement that may be old.
    private func fence() {
        let hasOthers = state.withLock { $0.hasOthers }
        let until = timeline.clock.steadyMilliseconds() + Self.fenceAfter.milliseconds
        timeline.trust(until: hasOthers ? until : nil)
    }

    /// Those that have given a sign of life lately; of one that was first seen lately it is not known, which counts as life.
    func alive(_ nodes: [TimelineNodeRecord]) async -> [TimelineNodeRecord] {
        let now = clock.steadyMilliseconds()
        return state.withLock { state in
            nodes.filter { other in
                guard other.node != node, let seen = state.seen[other.node] else { return true }
                return now - seen.at < Self.patience.milliseconds
            }
        }
    }

    // MARK: Leading

    /// Whether this server leads. It takes the lead over where the leader has given no sign of life for long.
    func leads() async throws -> Bool {
        guard isShared else { return true }
        return try await leading.take()
    }

    /// Whether every server that lives works by this arrangement.
    func isKnownToAll(_ arrangement: Arrangement) async throws -> Bool {
        guard isShared else { return true }
        let nodes = await alive(try await records.timelineNodes.all())
        return nodes.allSatisfy { $0.epoch >= arrangement.epoch }
    }

    /// Puts an arrangement into force, unless somebody else was first.
    @discardableResult
    func put(_ next: Arrangement, by who: String) async throws -> Arrangement {
        let record = try await records.settings.set(
            Arrangement.setting,
            to: next.text,
            by: who,
            expected: next.epoch
        )
        try await follow()
        return try Arrangement(record)
    }

    func note(moved: Int) {
        state.withLock { state in
            state.moved += moved
            state.problem = nil
        }
    }

    func note(problem: String) { state.withLock { $0.problem = problem } }

    /// What this server has moved since the phase began, and what keeps it from going on.
    var progress: (moved: Int, problem: String?) { state.withLock { ($0.moved, $0.problem) } }
}

extension ServerConfiguration {
    /// Whether several servers may be over the same records: those on PostgreSQL.
    var sharesRecords: Bool { !records.url.isEmpty }
}
