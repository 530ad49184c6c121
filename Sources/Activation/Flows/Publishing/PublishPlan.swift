package import BelfryCore

/// What publishing a version would do to the people inside, for each policy: shown to the publisher before they choose.
///
/// Positions are handed in one by one, so that a server can stream millions of them through it.
package struct PublishPlan: Sendable {
    package let diff: FlowDiff
    /// People at each step before the change.
    package private(set) var people: [String: Int] = [:]
    package private(set) var effects: [InsiderPolicy: Effect]
    private let versions: [PublishedFlow]
    private let next: PublishedFlow
    private let planner: FlowPlanner
    private let now: Timestamp

    /// What one policy does.
    package struct Effect: Sendable, Hashable {
        /// People for whom anything is different.
        package var touched = 0
        /// Of these, people whose next message was moved to another time.
        package var moved = 0
        /// Of these, people whose step was deleted and who go on with a later one.
        package var redirected = 0
        /// People for whom the flow ends by it.
        package var leaving = 0
        /// People whose next message would be due at once, though it is not due now.
        package var pastDue = 0
        /// How far the longest of those is past due.
        package var longestPastDue = Duration.zero
    }

    /// - Parameters:
    ///   - versions: those that people are still in.
    ///   - flow: the one to be published.
    package init(
        versions: FlowVersions,
        publishing flow: Flow,
        planner: FlowPlanner,
        now: Timestamp
    ) {
        let current = versions.current
        diff = FlowDiff(from: current.flow, to: flow)
        next = PublishedFlow(flow: flow, version: current.version + 1)
        self.versions = versions.all
        self.planner = planner
        self.now = now
        effects = Dictionary(
            uniqueKeysWithValues: InsiderPolicy.allCases.map { ($0, Effect()) }
        )
    }

    /// Counts people who are at that position.
    package mutating func add(_ position: FlowPosition, person: FlowPerson, count: Int = 1) {
        people[position.step, default: 0] += count
        for policy in InsiderPolicy.allCases { add(position, person, count, policy) }
    }

    private mutating func add(
        _ position: FlowPosition,
        _ person: FlowPerson,
        _ count: Int,
        _ policy: InsiderPolicy
    ) {
        var published = next
        published.insiders = policy
        guard let after = FlowVersions(versions + [published]),
            let before = FlowVersions(versions)
        else { return }
        let plan = planner.replan(position, versions: after, person: person)
        var effect = effects[policy] ?? Effect()
        defer { effects[policy] = effect }
        guard case .push(_, let moved) = plan.next else {
            effect.touched += count
            effect.leaving += count
            return
        }
        let hasNewText =
            content(of: moved.step, in: after, position)
            != content(of: position.step, in: before, position)
        let isMoved = moved.due != position.due
        let isRedirected = moved.step != position.step
        if isMoved { effect.moved += count }
        if isRedirected { effect.redirected += count }
        if isMoved || isRedirected || hasNewText { effect.touched += count }
        if moved.due < now, position.due >= now {
            effect.pastDue += count
            effect.longestPastDue = max(effect.longestPastDue, now - moved.due)
        }
    }

    private func content(of step: String, in versions: FlowVersions, _ position: FlowPosition)
        -> FlowStep?
    {
        let standing = versions.standing(of: position.version)
        var found = standing.content.flow.step(step) ?? standing.structure.flow.step(step)
        // Times are structure; a change of theirs shows in the due time.
        found?.timing = .immediately
        return found
    }
}

/// What becomes of messages that a new version makes past due at once.
package enum CatchUp: Sendable, Hashable {
    /// Evenly over that time.
    case spread(over: Duration)
    /// Not sent if more than that past due; the others at once.
    case skip(laterThan: Duration)

    /// When the `index`th of `count` past-due messages is sent; `nil`: not at all.
    package func due(_ due: Timestamp, index: Int, of count: Int, now: Timestamp) -> Timestamp? {
        guard due < now else { return due }
        switch self {
        case .spread(let span):
            guard count > 0 else { return now }
            let share = span.milliseconds.multipliedFullWidth(by: Int64(max(0, min(index, count))))
            let quotient = Int64(count).dividingFullWidth(share).quotient
            return now + Duration.milliseconds(quotient)
        case .skip(let limit):
            return now - due > limit ? nil : now
        }
    }
}
