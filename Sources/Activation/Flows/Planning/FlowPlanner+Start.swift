package import BelfryCore

extension FlowPlanner {
    /// Lets a person enter a flow: the first push, and the passive reply.
    ///
    /// - Parameters:
    ///   - person: as they are after the event.
    ///   - attendance: whether they are in the flow or have been.
    /// - Throws: ``NotEntered`` with the reason.
    package func start(
        _ published: PublishedFlow,
        person: FlowPerson,
        event: FlowEvent,
        attendance: Attendance = .never,
        now: Timestamp
    ) throws(NotEntered) -> Plan {
        let flow = published.flow
        // A platform clock ahead of ours must not put the beginning into the future.
        let started = min(event.time, now)
        try checkEntry(flow, event, attendance)
        try checkLimits(flow, person)
        guard person.isFollowing || account.channel != "wechat" else { throw .notFollowing }
        if let unmet = flow.conditions.unmet(by: person, since: started) {
            throw .condition(unmet)
        }
        // Writing is how a person enters by a message; only what happens afterwards can be the goal.
        if let goal = flow.goal, goal.stops, case .tag = goal.kind,
            goal.isReached(by: person, since: started)
        {
            throw .goalReached
        }
        var plan = advance(
            FlowPosition(
                flow: flow.key,
                version: published.version,
                step: "",
                started: started,
                anchor: started,
                due: started,
                variables: variables(of: event, for: flow)
            ),
            through: flow.steps[...],
            of: flow,
            content: flow,
            person: person
        )
        plan.reply = flow.reply.map {
            let values = TemplateValues(account: account, flow: flow, person: person)
            return values.adding(plan.position?.variables ?? [:]).fill($0)
        }
        return plan
    }

    private func checkEntry(_ flow: Flow, _ event: FlowEvent, _ attendance: Attendance)
        throws(NotEntered)
    {
        if case .api = event.kind {
            guard case .api = flow.trigger else { throw .otherTrigger }
        } else {
            guard flow.trigger.matches(event) else { throw .otherTrigger }
        }
        // An unsubscribe ends every flow, so whoever follows is inside none, whatever is still on record.
        var attendance = attendance
        if case .follow = event.kind, attendance == .inside { attendance = .before }
        switch (flow.reentry, attendance) {
        case (_, .never), (.restart, _), (.ignore, .before): return
        case (.ignore, .inside): throw .alreadyInside
        case (.once, .inside), (.once, .before): throw .onlyOnce
        }
    }

    private func checkLimits(_ flow: Flow, _ person: FlowPerson) throws(NotEntered) {
        func refuse(_ why: String) -> NotEntered { .invalid(why) }
        guard (1...PushLimits.personBytes).contains(person.id.utf8.count) else {
            throw refuse(
                "the person's id is \(person.id.utf8.count) bytes; 1 to \(PushLimits.personBytes) are allowed"
            )
        }
        guard (1...PushLimits.accountBytes).contains(account.key.utf8.count),
            !account.key.contains("/")
        else {
            throw refuse(
                "the account's key has to be 1 to \(PushLimits.accountBytes) bytes without '/'"
            )
        }
        let id = Self.id(account: account.key, flow: flow.key, person: person.id)
        guard id.text.utf8.count <= PushLimits.idBytes else {
            throw refuse("the id of the push would be over \(PushLimits.idBytes) bytes")
        }
    }

    /// The trigger's values, of those that the flow declares; cut to their limit.
    private func variables(of event: FlowEvent, for flow: Flow) -> [String: String] {
        guard case .api(let values) = event.kind else { return [:] }
        return values.filter { flow.variables.keys.contains($0.key) }
            .mapValues { $0.cut(toBytes: FlowLimits.variableBytes) }
    }
}
