import BelfryCore

/// Where in time a step falls.
enum Placement {
    case due(Timestamp, shift: Duration, isWaiting: Bool)
    /// Its moment is over already.
    case passed(String)
}

extension FlowPlanner {
    /// Finds the first of `steps` that still has a moment, and makes its push.
    ///
    /// - Parameter position: where the person is; its anchor and shift count, its step does not.
    func advance(
        _ position: FlowPosition,
        through steps: ArraySlice<FlowStep>,
        of flow: Flow,
        content: Flow,
        person: FlowPerson
    ) -> Plan {
        var passed: [PassedStep] = []
        for step in steps {
            switch place(step, of: flow, quiet: content.quietHours, position, person) {
            case .passed(let reason):
                passed.append(PassedStep(step: step.id, outcome: .expired, reason: reason))
            case .due(let due, let shift, let isWaiting):
                var next = position
                next.step = step.id
                next.due = due
                next.shift = position.shift + shift
                next.isWaiting = isWaiting
                let push = push(next, step: content.step(step.id) ?? step, person: person)
                return Plan(passed: passed, next: .push(push, next))
            }
        }
        return Plan(passed: passed, next: .ended(.completed))
    }

    /// The push for a position.
    func push(_ position: FlowPosition, step: FlowStep, person: FlowPerson) -> Push {
        Push(
            id: Self.id(account: account.key, flow: position.flow, person: person.id),
            recipient: Recipient(account: account.key, person: person.id),
            due: position.due,
            // While it waits for the person to write, its moment has not come, so it cannot be over.
            expires: position.isWaiting ? nil : step.lasts.map { position.due + $0 },
            priority: step.priority,
            channel: account.channel,
            merge: position.isWaiting ? nil : step.merge,
            payload: position.payload
        )
    }

    func place(
        _ step: FlowStep,
        of flow: Flow,
        quiet: QuietHours?,
        _ position: FlowPosition,
        _ person: FlowPerson
    ) -> Placement {
        let zone = flow.zone ?? account.zone
        let anchor = position.anchor
        let moment: Timestamp
        switch step.timing {
        case .immediately: moment = anchor
        case .after(let delay): moment = anchor + delay
        case .afterEntry(let delay): moment = max(anchor, position.started + delay + position.shift)
        case .afterMessage(let delay, let wait):
            guard let wrote = person.lastWrote, wrote >= position.started else {
                return .due(anchor + wait, shift: .zero, isWaiting: true)
            }
            moment = max(anchor, wrote + delay)
        case .at(let time, let day):
            let local = localMoment(time, day: day, zone: zone, position)
            // Quiet hours that moved the sequence past a local time move that time too.
            let shifted = local < anchor ? local + position.shift : local
            guard shifted >= anchor else {
                return .passed("\(time) had passed on that day when its turn came")
            }
            moment = shifted
        }
        guard let quiet, !step.ignoresQuietHours else {
            return .due(moment, shift: .zero, isWaiting: false)
        }
        let shift = quiet.shift(of: moment, after: anchor, in: zone)
        return .due(moment + shift, shift: shift, isWaiting: false)
    }

    func quietShift(
        of step: FlowStep,
        due: Timestamp,
        anchor: Timestamp,
        flow: FlowVersions.Standing
    ) -> Duration {
        guard let quiet = flow.content.flow.quietHours, !step.ignoresQuietHours else {
            return .zero
        }
        let zone = flow.structure.flow.zone ?? account.zone
        return quiet.shift(of: due, after: anchor, in: zone)
    }

    private func localMoment(
        _ time: LocalTime,
        day: Int?,
        zone: LocalZone,
        _ position: FlowPosition
    ) -> Timestamp {
        func moment(_ day: Int64) -> Timestamp {
            zone.time(LocalMoment(day: day, milliseconds: time.milliseconds))
        }
        if let day { return moment(zone.local(position.started).day + Int64(day)) }
        let today = zone.local(position.anchor).day
        let next = moment(today)
        return next >= position.anchor ? next : moment(today + 1)
    }
}

extension QuietHours {
    /// How far a sequence has to move so that `due` is outside quiet hours.
    ///
    /// If the anchor lies in the same quiet period, the anchor moves to its end and `due` keeps its distance: whoever follows at 02:30 with
    /// quiet hours until 07:00 gets at 07:01, 07:05 and 07:10 what was meant for one, five and ten minutes after the follow.
    func shift(of due: Timestamp, after anchor: Timestamp, in zone: LocalZone) -> Duration {
        var moved = due
        // A second round is needed where the moved time falls into the next period; short days cannot make it endless.
        for round in 0..<4 {
            guard let period = period(at: moved, in: zone) else { break }
            let from = round == 0 && period.contains(anchor) ? anchor : moved
            moved = moved + (period.upperBound - from)
        }
        return moved - due
    }
}
