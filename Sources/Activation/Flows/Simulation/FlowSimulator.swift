import BelfryCore

/// Runs flows for one person on virtual time, with the planner and the ledger that run in production.
package struct FlowSimulator {
    private let planner: FlowPlanner
    private let flows: [String: PublishedFlow]
    private let order: [PublishedFlow]
    private var ledger: PermissionLedger
    private var person: FlowPerson
    private var pending: [PushID: Waiting] = [:]
    private var attended: Set<String> = []
    private var lines: [SimulatedLine] = []
    private var now = Timestamp.distantPast

    /// A pending push of the simulation.
    private struct Waiting {
        var push: Push
        var position: FlowPosition
        var due: Timestamp
        var isHeld = false
        /// Steps that were merged into this push, oldest first.
        var merged: [FlowPosition] = []
        /// When the first of the merged ones was meant for.
        var first: Timestamp
    }

    /// A scenario that makes more lines than this is a loop.
    package static let lineLimit = 2000

    /// What would be sent, shifted, merged, held and skipped, and why.
    package static func run(
        _ flows: [Flow],
        rules: PermissionRules,
        scenario: Scenario,
        account: FlowAccount = FlowAccount(key: "account"),
        person: FlowPerson = FlowPerson(id: "person", isFollowing: false)
    ) -> [SimulatedLine] {
        var simulator = FlowSimulator(flows, rules, account, person)
        simulator.play(scenario)
        return simulator.lines
    }

    package static func run(
        _ flow: Flow,
        rules: PermissionRules,
        scenario: Scenario,
        account: FlowAccount = FlowAccount(key: "account")
    ) -> [SimulatedLine] {
        run([flow], rules: rules, scenario: scenario, account: account)
    }

    private init(
        _ flows: [Flow],
        _ rules: PermissionRules,
        _ account: FlowAccount,
        _ person: FlowPerson
    ) {
        planner = FlowPlanner(account: account)
        order = flows.map { PublishedFlow(flow: $0, version: 1) }
        self.flows = Dictionary(order.map { ($0.flow.key, $0) }) { first, _ in first }
        ledger = PermissionLedger(rules: rules)
        self.person = person
    }

    private mutating func play(_ scenario: Scenario) {
        // Whoever does something other than follow first has followed before.
        if let first = scenario.acts.first, !first.what.isFollow { person.isFollowing = true }
        var acts = scenario.acts[...]
        while lines.count < Self.lineLimit {
            let due = pending.values.min { ($0.due, $0.push.id.text) < ($1.due, $1.push.id.text) }
            if let act = acts.first, due.map({ act.time <= $0.due }) ?? true {
                acts = acts.dropFirst()
                now = max(now, act.time)
                perform(act)
            } else if let due {
                now = max(now, due.due)
                deliver(due)
            } else {
                return
            }
        }
        note(.cutOff, reason: "more than \(Self.lineLimit) lines")
    }

    // MARK: What the person does

    private mutating func perform(_ act: Scenario.Act) {
        note(.act, text: act.what.words)
        switch act.what {
        case .tag(let tag): person.tags.insert(tag)
        case .untag(let tag): person.tags.remove(tag)
        case .click: person.lastClicked = act.time
        case .report(let name): person.events[name] = act.time
        case .event(let kind): take(FlowEvent(kind, at: act.time))
        }
    }

    private mutating func take(_ event: FlowEvent) {
        if let action = event.action { ledger.record(action, at: event.time) }
        ledger.record(event.consents, at: event.time)
        if event.isWriting { person.lastWrote = event.time }
        if let scene = event.scene { person.scene = scene }
        switch event.kind {
        case .unfollow:
            leave(at: event.time)
            return
        case .follow: person.isFollowing = true
        default: break
        }
        var entered: Set<String> = []
        for published in started(by: event) where start(published, event) {
            entered.insert(published.flow.key)
        }
        for waiting in pending.values where !entered.contains(waiting.position.flow) {
            wake(waiting, event)
        }
    }

    private func started(by event: FlowEvent) -> [PublishedFlow] {
        if case .api = event.kind {
            return order.filter { if case .api = $0.flow.trigger { true } else { false } }
        }
        return FlowPlanner.triggered(by: event, among: order)
    }

    private mutating func leave(at time: Timestamp) {
        person.isFollowing = false
        ledger.correct(.unfollowed, at: time)
        for id in planner.cancelIDs(person: person.id, flows: flows.keys.sorted()) {
            guard let waiting = pending.removeValue(forKey: id) else { continue }
            for position in waiting.merged + [waiting.position] {
                note(.cancelled, position.flow, position.step, reason: "the person has unfollowed")
            }
        }
    }

    private mutating func start(_ published: PublishedFlow, _ event: FlowEvent) -> Bool {
        let key = published.flow.key
        let isInside = pending.values.contains { waiting in
            waiting.position.flow == key || waiting.merged.contains { $0.flow == key }
        }
        let attendance: Attendance =
            isInside ? .inside : attended.contains(key) ? .before : .never
        do {
            let plan = try planner.start(
                published,
                person: person,
                event: event,
                attendance: attendance,
                now: now
            )
            attended.insert(key)
            note(.entered, key, reason: attendance == .inside ? "begins anew" : "")
            if let reply = plan.reply { note(.reply, key, text: reply.preview) }
            take(plan, of: key, before: .zero)
            return true
        } catch {
            note(.notEntered, key, reason: error.description)
            return false
        }
    }

    private mutating func wake(_ waiting: Waiting, _ event: FlowEvent) {
        guard let published = flows[waiting.position.flow],
            let plan = planner.wake(
                waiting.position,
                isHeld: waiting.isHeld,
                event: event,
                versions: FlowVersions(published),
                person: person,
                now: now
            )
        else { return }
        take(plan, of: published.flow.key, before: waiting.position.shift)
    }

    // MARK: What falls due

    private mutating func deliver(_ waiting: Waiting) {
        pending[waiting.push.id] = nil
        guard let published = flows[waiting.position.flow] else { return }
        if let expires = waiting.push.expires, now > expires {
            finish(waiting, .skipped, .expired, reason: "it expired")
            return
        }
        let resolution = planner.resolve(
            payload: waiting.push.payload,
            versions: FlowVersions(published),
            person: person,
            ledger: ledger,
            now: now
        )
        switch resolution {
        case .send(let step):
            // The resolution has just asked the same ledger at the same moment.
            let isReserved = (try? ledger.reserve(at: now)) != nil
            finish(
                waiting,
                isReserved ? .sent : .skipped,
                isReserved ? .sent : .noGrant,
                text: step.preview
            )
        case .fallBack(let step, let reason):
            if case .consent(let template) = step.permission {
                // Asked a moment ago by the resolution.
                _ = try? ledger.reserveConsent(template: template, at: now)
            }
            finish(
                waiting,
                .fellBack,
                .sent,
                text: "\(step.channel): \(step.preview)",
                reason: reason
            )
        case .skip(let outcome, let reason):
            finish(waiting, .skipped, outcome, text: outcome.rawValue, reason: reason)
        case .hold(let until, let state, let reason):
            var held = waiting
            held.due = max(until, now + Duration.milliseconds(1))
            held.isHeld = state == .heldWindow
            pending[held.push.id] = held
            note(
                .held,
                held.position.flow,
                held.position.step,
                text: "until \(planner.account.zone.text(held.due))",
                reason: reason
            )
        }
    }

    private mutating func finish(
        _ waiting: Waiting,
        _ kind: SimulatedLine.Kind,
        _ outcome: Outcome,
        text: String = "",
        reason: String = ""
    ) {
        note(kind, waiting.position.flow, waiting.position.step, text: text, reason: reason)
        let merged = planner.afterMerge(
            waiting.merged.map(\.payload),
            versions: { flows[$0].map { FlowVersions($0) } },
            person: person,
            now: now
        )
        for (position, plan) in merged {
            note(
                .merged,
                position.flow,
                position.step,
                reason: "with \(waiting.position.flow)/\(waiting.position.step)"
            )
            let late = planner.lateness(of: position, at: now)
            take(plan, of: position.flow, before: position.shift + late)
        }
        guard let published = flows[waiting.position.flow] else { return }
        let plan = planner.next(
            after: waiting.position,
            outcome: outcome,
            versions: FlowVersions(published),
            person: person,
            now: now
        )
        let late = planner.lateness(of: waiting.position, at: now)
        take(plan, of: published.flow.key, before: waiting.position.shift + late)
    }

    // MARK: Plans

    private mutating func take(_ plan: Plan, of flow: String, before shift: Duration) {
        for step in plan.passed {
            note(.skipped, flow, step.step, text: step.outcome.rawValue, reason: step.reason)
        }
        switch plan.next {
        case .ended(let end): note(.ended, flow, reason: end.rawValue)
        case .push(let push, let position):
            let moved = position.shift - shift
            note(
                moved > .zero ? .shifted : .planned,
                flow,
                position.step,
                text: position.isWaiting
                    ? "waits for a message until \(planner.account.zone.text(push.due))"
                    : "for \(planner.account.zone.text(push.due))",
                reason: moved > .zero ? "\(DurationText.text(moved)) later than planned" : ""
            )
            schedule(push, position)
        }
    }

    /// Schedules as a timeline does: a push with a merge rule waits for others, and joins one with the same key that is due soon.
    private mutating func schedule(_ push: Push, _ position: FlowPosition) {
        var waiting = Waiting(push: push, position: position, due: push.due, first: push.due)
        pending[push.id] = nil
        if let rule = push.merge {
            waiting.due = push.due + min(rule.grace, rule.maxWait)
            let group = pending.values.first {
                $0.push.merge?.key == rule.key && !$0.isHeld && push.due <= $0.due
                    && $0.first <= waiting.due
            }
            if var group {
                group.merged.append(group.position)
                group.position = position
                group.push.payload = push.payload
                group.due = max(push.due, min(group.first + rule.maxWait, waiting.due))
                waiting = group
            }
        }
        pending[waiting.push.id] = waiting
    }

    private mutating func note(
        _ kind: SimulatedLine.Kind,
        _ flow: String? = nil,
        _ step: String? = nil,
        text: String = "",
        reason: String = ""
    ) {
        lines.append(
            SimulatedLine(
                time: now,
                local: planner.account.zone.text(now),
                kind: kind,
                flow: flow,
                step: step,
                text: text,
                reason: reason
            )
        )
    }
}

extension Scenario.What {
    fileprivate var isFollow: Bool {
        if case .event(.follow) = self { true } else { false }
    }

    /// What the person did, for the log.
    fileprivate var words: String {
        switch self {
        case .event(.follow(let scene)): "follows" + (scene.map { " by \($0)" } ?? "")
        case .event(.unfollow): "unfollows"
        case .event(.message(let text, false)): "writes \(text ?? "something")"
        case .event(.message(let text, true)): "taps \(text ?? "an entry") in a msgmenu"
        case .event(.menu(let key)): "taps \(key) in the menu"
        case .event(.scan(let scene)): "scans \(scene ?? "a code")"
        case .event(.consent(let changes)):
            changes.map {
                "\($0.isGranted ? "agrees to" : "refuses") notifications of \($0.template)"
            }.joined(separator: ", ")
        case .event(.api): "is entered by a call"
        case .tag(let tag): "gets the tag \(tag)"
        case .untag(let tag): "loses the tag \(tag)"
        case .click: "follows a link"
        case .report(let name): "\(name) is reported"
        }
    }
}
