package import BelfryCore
import BelfryMoving
import BelfryRecords

/// Why a move cannot begin, or be cancelled.
package struct MoveRefusal: Error, Sendable, CustomStringConvertible {
    /// The field of the request that it is about.
    package var field: String
    package var description: String
}

/// How far a move is.
package struct MoveStatus: Sendable {
    package var arrangement: Arrangement
    /// Pending in the place where they come from, and in the other.
    package var left: TimelineCounts
    package var arrived: TimelineCounts?
    package var moved: Int
    package var problem: String?
    package var nodes: [NodeState]

    package struct NodeState: Sendable {
        package var name: String
        package var epoch: Int
        /// It has given a sign of life lately.
        package var isAlive: Bool
        package var leads: Bool
    }
}

extension TimelineMoves {
    /// Begins to move everything.
    ///
    /// - Parameters:
    ///   - url: where to; empty: the data folder; `nil`: where everything is, in other shards.
    ///   - shards: on Redis; `nil`: as the configuration says.
    /// - Throws: ``MoveRefusal``; `RecordsError` with `conflict` where somebody else was first; ``TimelineError``, ``StartFailure`` where the place cannot be used.
    @discardableResult
    package func start(to url: String?, shards: Int?, by who: String) async throws -> Arrangement {
        try await follow()
        let now = arrangement
        guard now.phase == .single else {
            throw MoveRefusal(
                field: "to",
                description: "a move is under way, to \(now.end.words): wait, or cancel it"
            )
        }
        let target = try await address(url, now)
        var place = try TimelinePlace(
            url: target,
            prefix: configuration.timeline.prefix,
            epoch: now.epoch + 1,
            shards: shards ?? configuration.timeline.shards,
            after: now.from
        )
        try await check(place, after: now.from)
        if place.kind != .embedded {
            place.seal = "timeline/\(now.epoch + 1)"
            try await records.seals.set(place.seal, to: Secret(target))
        }
        var next = now
        (next.phase, next.to, next.goesBack) = (.joining, place, false)
        // Before anybody is told to use it, it must be there.
        _ = try await places.side(place)
        try await setShards(place, by: who)
        return try await put(next, by: who)
    }

    private func address(_ url: String?, _ now: Arrangement) async throws -> String {
        if let url { return url }
        guard now.from.kind == .redis else {
            throw MoveRefusal(
                field: "to",
                description: "is needed: only pushes on Redis have shards"
            )
        }
        return try await places.url(now.from)
    }

    private func check(_ place: TimelinePlace, after now: TimelinePlace) async throws {
        if place.kind == .redis, !(1...16_384 ~= place.shards) {
            throw MoveRefusal(field: "shards", description: "must be 1 to 16384")
        }
        if place.shown == now.shown, place.shards == now.shards {
            throw MoveRefusal(
                field: "to",
                description: "all pushes are there already: \(now.words)"
            )
        }
        guard place.kind == .embedded || now.kind == .embedded, isShared else { return }
        let others = await alive(try await records.timelineNodes.all()).filter { $0.node != node }
        guard others.isEmpty else {
            throw MoveRefusal(
                field: "to",
                description:
                    "a data folder belongs to one server, and \(others.count) others are at work"
            )
        }
    }

    /// Lets a move go back to where it began.
    ///
    /// - Throws: ``MoveRefusal`` where there is none, or it is over; as ``start(to:shards:by:)``.
    @discardableResult
    package func cancel(by who: String) async throws -> Arrangement {
        try await follow()
        try await live.refresh()
        if wantsShards(arrangement) != nil {
            // Asked for, and not begun.
            try await setShards(arrangement.from, by: who)
            return arrangement
        }
        guard let next = arrangement.turned() else {
            let isOver = arrangement.phase == .closing
            throw MoveRefusal(
                field: "phase",
                description: isOver
                    ? "everything has been moved: move it back" : "nothing is being moved"
            )
        }
        try await setShards(next.end, by: who)
        return try await put(next, by: who)
    }

    /// A setting that says otherwise would begin another move when this one ends.
    private func setShards(_ place: TimelinePlace, by who: String) async throws {
        try await live.refresh()
        guard let set = live.settings.shards, set != place.shards else { return }
        let shards = place.kind == .redis ? String(place.shards) : nil
        try await live.set(["timeline.shards": shards], by: who)
    }

    package func status() async throws -> MoveStatus {
        try await follow()
        let now = arrangement
        let leader = isShared ? try await records.timelineNodes.leader(of: Self.lead)?.node : node
        let nodes = isShared ? try await records.timelineNodes.all() : []
        let living = Set(await alive(nodes).map(\.node))
        let progress = progress
        let from = try await places.side(now.from)
        var arrived: TimelineCounts?
        if let to = now.to { arrived = try await places.side(to).engine.counts() }
        return MoveStatus(
            arrangement: now,
            left: try await from.engine.counts(),
            arrived: arrived,
            moved: progress.moved,
            problem: progress.problem,
            nodes: nodes.map { other in
                MoveStatus.NodeState(
                    name: other.node,
                    epoch: other.epoch,
                    isAlive: living.contains(other.node),
                    leads: other.node == leader
                )
            }
        )
    }

    /// Says that this server is gone: nobody waits for it any more.
    func leave() async {
        guard isShared else { return }
        // What cannot be said now is known when it has given no sign of life for long.
        try? await records.timelineNodes.remove(node)
    }
}
