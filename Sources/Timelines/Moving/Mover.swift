package import BelfryCore

/// Takes pushes from the source of a ``MovingTimeline`` to its target, some at a time. One at a time may do so.
///
/// A step writes down what it takes in hand, takes out of the source what is still as it was read, puts exactly that into the target, and strikes it out. What a crash leaves in
/// hand, ``repair()`` puts where it belongs.
package struct Mover: Sendable {
    /// What one step did.
    package struct Step: Sendable, Hashable {
        package var moved = 0
        /// Where the next one begins; `nil`: this was the end of the source.
        package var next: PageMark?
    }

    /// So many payload bytes at most go in one step, unless one push alone has more.
    static let stepBytes = 2 << 20

    /// A step that takes longer between writing down and taking out is broken off: another may have taken over, and have repaired it.
    static let patience = Duration.seconds(5)

    let timeline: MovingTimeline
    /// Those among these that are to stay for now.
    let stays: @Sendable ([PushID]) async throws(TimelineError) -> Set<PushID>
    /// Told of what was moved before others hear that it has arrived.
    let arrived: @Sendable ([Pending], Side) async throws(TimelineError) -> Void

    package init(
        _ timeline: MovingTimeline,
        stays: @escaping @Sendable ([PushID]) async throws(TimelineError) -> Set<PushID> = { _ in
            []
        },
        arrived: @escaping @Sendable ([Pending], Side) async throws(TimelineError) -> Void = {
            _,
            _ in
        }
    ) {
        self.timeline = timeline
        self.stays = stays
        self.arrived = arrived
    }

    /// Moves about `limit` pushes.
    ///
    /// - Throws: ``TimelineError``: call ``repair()`` before the next step.
    package func step(after mark: PageMark?, limit: Int) async throws(TimelineError) -> Step {
        let sides = timeline.sides
        guard let source = sides.source else { return Step() }
        let page = try await source.engine.page(after: mark, limit: limit)
        let staying = try await stays(page.pushes.map(\.push.id))
        var ids: Set<PushID> = []
        // A page may show a push twice.
        var rest = page.pushes.filter {
            !staying.contains($0.push.id) && ids.insert($0.push.id).inserted
        }[...]
        var step = Step(next: page.next)
        while !rest.isEmpty {
            let part = Self.part(of: rest)
            rest = rest.dropFirst(part.count)
            step.moved += try await move(part, from: source, to: sides.target)
        }
        return step
    }

    private static func part(of pushes: ArraySlice<Pending>) -> [Pending] {
        var bytes = 0
        return Array(
            pushes.prefix { pending in
                let isFirst = bytes == 0
                bytes += 1 + pending.push.payload.count * (1 + pending.collected.count)
                return isFirst || bytes <= stepBytes
            }
        )
    }

    private func move(_ pushes: [Pending], from source: Side, to target: Side)
        async throws(TimelineError) -> Int
    {
        let hand = timeline.hand
        timeline.hold(pushes)
        let begun = timeline.clock.steadyMilliseconds()
        try await hand.take(pushes)
        let moved = try await timeline.gate.alone { () async throws(TimelineError) in
            guard timeline.clock.steadyMilliseconds() - begun < Self.patience.milliseconds else {
                throw TimelineError(.io, "a step of the move took too long")
            }
            let isOut = try await source.engine.withdraw(pushes)
            let out = pushes.indices.filter { isOut[$0] }.map { pushes[$0] }
            try await put(out, into: target)
            try await arrived(out, target)
            return out.count
        }
        let ids = pushes.map(\.push.id)
        try await hand.strike(ids)
        timeline.letGo(ids)
        return moved
    }

    private func put(_ pushes: [Pending], into side: Side) async throws(TimelineError) {
        guard !pushes.isEmpty else { return }
        let isIn = try await side.engine.place(pushes)
        // Two processes have met on an id: what was in the source was put there by the later.
        let newer = pushes.indices.filter { !isIn[$0] }.map { pushes[$0].push }
        if !newer.isEmpty { try await side.engine.schedule(newer) }
    }

    /// Puts what stands in hand, and is in neither timeline, into the target; where that is full, back into the source.
    ///
    /// - Returns: how many were in neither.
    @discardableResult
    package func repair() async throws(TimelineError) -> Int {
        let hand = timeline.hand
        let pushes = try await hand.pushes()
        guard !pushes.isEmpty else { return 0 }
        let ids = pushes.map(\.push.id)
        let sides = timeline.sides
        timeline.hold(pushes)
        let lost = try await timeline.gate.alone { () async throws(TimelineError) in
            var isSomewhere = [Bool](repeating: false, count: pushes.count)
            for side in sides.all {
                let found = try await side.engine.find(ids)
                for index in ids.indices where found[index] != nil { isSomewhere[index] = true }
            }
            let lost = ids.indices.filter { !isSomewhere[$0] }.map { pushes[$0] }
            guard !lost.isEmpty else { return 0 }
            do throws(TimelineError) { _ = try await sides.target.engine.place(lost) } catch {
                guard error.code == .full, let source = sides.source else { throw error }
                _ = try await source.engine.place(lost)
            }
            return lost.count
        }
        try await hand.strike(ids)
        timeline.letGo(ids)
        return lost
    }
}
