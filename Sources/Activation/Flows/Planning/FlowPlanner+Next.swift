package import BelfryCore

extension FlowPlanner {
    /// What follows when a step has ended, in whichever way.
    ///
    /// - Parameters:
    ///   - outcome: how the step ended. A step that was cancelled or replaced from outside ends the flow, and so does an unsubscribe;
    ///     after anything else the next step has its turn.
    ///   - now: when it ended: the next step counts from here.
    package func next(
        after position: FlowPosition,
        outcome: Outcome,
        versions: FlowVersions,
        person: FlowPerson,
        now: Timestamp
    ) -> Plan {
        if let end = end(position, outcome, versions, person) { return Plan(next: .ended(end)) }
        let standing = versions.standing(of: position.version)
        let structure = standing.structure.flow
        var moved = position
        moved.version = standing.structure.version
        moved.anchor = max(now, position.anchor)
        moved.shift = position.shift + lateness(of: position, at: now)
        moved.isWaiting = false
        return advance(
            moved,
            through: rest(after: position, in: structure, versions),
            of: structure,
            content: standing.content.flow,
            person: person
        )
    }

    /// What follows in the flows whose steps were merged into a push that has now ended.
    ///
    /// - Parameters:
    ///   - collected: the payloads that the claim carries besides its own.
    ///   - versions: the versions of a flow by its key; a flow that is gone has nothing to follow.
    /// - Returns: each merged step's position, which ended as ``Outcome/merged``, and its flow's plan.
    package func afterMerge(
        _ collected: [[UInt8]],
        versions: (String) -> FlowVersions?,
        person: FlowPerson,
        now: Timestamp
    ) -> [(position: FlowPosition, plan: Plan)] {
        collected.compactMap { payload in
            // Pushes of other origin may share the key; they have nothing to go on with.
            guard let position = try? FlowPosition(payload: payload),
                let versions = versions(position.flow)
            else { return nil }
            let plan = next(
                after: position,
                outcome: .merged,
                versions: versions,
                person: person,
                now: now
            )
            return (position, plan)
        }
    }

    /// Counts the flow's times again from the same clock, after a new version was published: a shorter delay may be past due at once, a
    /// longer one moves the push back. Under the other policies the same push comes out.
    package func replan(
        _ position: FlowPosition,
        versions: FlowVersions,
        person: FlowPerson
    ) -> Plan {
        if let end = end(position, .sent, versions, person) { return Plan(next: .ended(end)) }
        let standing = versions.standing(of: position.version)
        let structure = standing.structure.flow
        var moved = position
        moved.version = standing.structure.version
        let steps =
            structure.steps.firstIndex { $0.id == position.step }.map { structure.steps[$0...] }
            ?? rest(after: position, in: structure, versions)
        return advance(
            moved,
            through: steps,
            of: structure,
            content: standing.content.flow,
            person: person
        )
    }

    /// What changes for a pending push because its person has just written, or opened a window otherwise.
    ///
    /// A step that is timed by the person's last message is now due so long after it, held or not; any other that was held is due now.
    ///
    /// - Parameter isHeld: whether the pending push was held with ``WaitingState/heldWindow``. Saying so of a push that was held for another
    ///   reason does no harm: it is looked at once more, and held again.
    /// - Returns: the plan that replaces the pending one; `nil` where nothing changes.
    package func wake(
        _ position: FlowPosition,
        isHeld: Bool,
        event: FlowEvent,
        versions: FlowVersions,
        person: FlowPerson,
        now: Timestamp
    ) -> Plan? {
        let standing = versions.standing(of: position.version)
        guard !standing.hasLeft, let step = standing.structure.flow.step(position.step) else {
            return nil
        }
        if case .afterMessage(let delay, _) = step.timing, event.isWriting {
            var moved = position
            moved.isWaiting = false
            moved.due = max(min(event.time, now) + delay, position.anchor)
            let quiet = quietShift(of: step, due: moved.due, anchor: moved.due, flow: standing)
            moved.due = moved.due + quiet
            moved.shift = position.shift + quiet
            let content = standing.content.flow.step(step.id) ?? step
            return Plan(next: .push(push(moved, step: content, person: person), moved))
        }
        guard isHeld, event.action != nil else { return nil }
        // The payload keeps the step's own moment, from which its deadline is counted; only the push is due now.
        let content = standing.content.flow.step(step.id) ?? step
        var push = push(position, step: content, person: person)
        push.due = now
        return Plan(next: .push(push, position))
    }

    private func end(
        _ position: FlowPosition,
        _ outcome: Outcome,
        _ versions: FlowVersions,
        _ person: FlowPerson
    ) -> FlowEnd? {
        if versions.standing(of: position.version).hasLeft { return .exited }
        if outcome == .unsubscribed || (!person.isFollowing && account.channel == "wechat") {
            return .unsubscribed
        }
        if outcome == .cancelled || outcome == .replaced { return .cancelled }
        let standing = versions.standing(of: position.version)
        if let goal = standing.content.flow.goal, goal.stops,
            goal.isReached(by: person, since: position.started)
        {
            return .goalReached
        }
        return nil
    }

    /// The steps that come after the position's. If its step is gone, those that came after it in the version where it still was.
    private func rest(after position: FlowPosition, in flow: Flow, _ versions: FlowVersions)
        -> ArraySlice<FlowStep>
    {
        if let index = flow.steps.firstIndex(where: { $0.id == position.step }) {
            return flow.steps[(index + 1)...]
        }
        let old = versions.version(position.version)?.flow.steps ?? []
        let later = old.drop { $0.id != position.step }.dropFirst()
        for step in later {
            if let index = flow.steps.firstIndex(where: { $0.id == step.id }) {
                return flow.steps[index...]
            }
        }
        return []
    }

    /// How far a hold or a busy hour has moved the sequence. A minute or less is no reason to move the rest.
    func lateness(of position: FlowPosition, at now: Timestamp) -> Duration {
        let late = now - position.due
        return late > .minutes(1) && !position.isWaiting ? late : .zero
    }
}
