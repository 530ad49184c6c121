import BelfryActivation
import BelfryCore
import BelfryRecords

/// One batch of happenings on its way through dedupe, flows, timeline and records.
struct IntakeBatch {
    private let happenings: [Happening]
    private let accounts: AccountBook
    private let records: Records
    private let timeline: any Timeline
    private let feed: LiveFeed
    private let arrivals: ArrivalBook
    private let now: Timestamp

    /// What each happening led to.
    private var answers: [IntakeAnswer]
    /// People as they are after the happenings so far.
    private var people: [Recipient: PersonRecord] = [:]
    /// What is pending in flows, as it will be after this batch.
    private var pending: [PushID: Pending] = [:]
    /// The last word on each id that this batch touches.
    private var last: [PushID: Change] = [:]
    private var history: [DeliveryRecord] = []
    /// How pushes end that this batch cancels or replaces.
    private var ends: [DeliveryRecord] = []

    private enum Change {
        case schedule(Push, FlowPosition)
        case cancel(Recipient, flow: String)
    }

    init(
        _ happenings: [Happening],
        accounts: AccountBook,
        records: Records,
        timeline: any Timeline,
        feed: LiveFeed,
        arrivals: ArrivalBook,
        now: Timestamp
    ) {
        self.happenings = happenings
        self.accounts = accounts
        self.records = records
        self.timeline = timeline
        self.feed = feed
        self.arrivals = arrivals
        self.now = now
        answers = Array(repeating: IntakeAnswer(), count: happenings.count)
    }

    /// - Returns: an answer for each happening, in order; all fail together where a store fails.
    mutating func work() async -> [Result<IntakeAnswer, any Error>] {
        do {
            let seen = try await look()
            for index in happenings.indices {
                if seen[index] {
                    answers[index].isRepetition = true
                } else {
                    await take(index)
                }
            }
            // First why pushes will be gone: after a crash in between nothing pending would be left to tell it by.
            try await append(ends)
            let people = Set(happenings.map(\.recipient))
            arrivals.begin(people)
            defer { arrivals.end(people) }
            try await schedule()
            try await record(seen)
            return answers.map { .success($0) }
        } catch {
            return happenings.map { _ in .failure(error) }
        }
    }

    /// Reads what is known of the people and of their places in flows.
    ///
    /// - Returns: for each happening whether it was seen before.
    private mutating func look() async throws -> [Bool] {
        let known = try await records.intake.seen(happenings.map { ($0.key, $0.event.time) })
        var keys: Set<String> = []
        let seen = zip(happenings, known).map { happening, known in
            !keys.insert(happening.key).inserted || known
        }
        people = try await records.people.find(Array(Set(happenings.map(\.recipient))))
        var ids: Set<PushID> = []
        for happening in happenings {
            guard let account = accounts[happening.recipient.account] else { continue }
            ids.formUnion(
                account.planner.cancelIDs(
                    person: happening.recipient.person,
                    flows: account.versions.keys
                )
            )
        }
        let list = Array(ids)
        for start in stride(from: 0, to: list.count, by: PushLimits.batchPushes) {
            let part = Array(list[start..<min(start + PushLimits.batchPushes, list.count)])
            for (id, found) in zip(part, try await timeline.find(part)) { pending[id] = found }
        }
        return seen
    }

    // MARK: What follows from a happening

    private mutating func take(_ index: Int) async {
        let happening = happenings[index]
        guard let account = accounts[happening.recipient.account] else { return }
        var person =
            people[happening.recipient]
            ?? PersonRecord(recipient: happening.recipient, created: now)
        let counted = person.apply(happening.change, at: happening.event.time)
        people[happening.recipient] = person
        guard counted else { return }
        if case .unfollow = happening.event.kind {
            leave(index, account)
            return
        }
        wake(index, account, person)
        await enter(index, account, person)
    }

    /// An unsubscribe cancels everything that is pending in flows. Pushes that the API scheduled end at the gate.
    private mutating func leave(_ index: Int, _ account: Account) {
        let recipient = happenings[index].recipient
        for flow in account.versions.keys {
            let id = FlowPlanner.id(account: account.key, flow: flow, person: recipient.person)
            let isPlanned = if case .schedule? = last[id] { true } else { false }
            guard isPlanned || pending[id] != nil else { continue }
            last[id] = .cancel(recipient, flow: flow)
            answers[index].cancelled += 1
            if let found = pending[id] { note(found, .unsubscribed, "the person unsubscribed") }
            pending[id] = nil
        }
    }

    /// Moves steps that waited for the person to write, or for permission.
    private mutating func wake(_ index: Int, _ account: Account, _ person: PersonRecord) {
        let event = happenings[index].event
        guard event.action != nil else { return }
        for (flow, versions) in account.versions {
            let id = FlowPlanner.id(
                account: account.key,
                flow: flow,
                person: person.recipient.person
            )
            guard let found = pending[id], found.state == .scheduled,
                let position = FlowPosition(found.push)
            else { continue }
            let isHeld = found.push.due > position.due && !position.isWaiting
            let plan = account.planner.wake(
                position,
                isHeld: isHeld,
                event: event,
                versions: versions,
                person: FlowPerson(person),
                now: now
            )
            if case .push(let push, let position)? = plan?.next { replace(push, position) }
        }
    }

    private mutating func enter(_ index: Int, _ account: Account, _ person: PersonRecord) async {
        let happening = happenings[index]
        var flows = FlowPlanner.triggered(by: happening.event, among: account.open)
        if let only = happening.flows {
            flows = account.open.filter { only.contains($0.flow.key) }
        }
        for published in flows {
            let key = published.flow.key
            do throws(NotEntered) {
                let attendance = await attendance(published, account, person)
                let plan = try account.planner.start(
                    published,
                    person: FlowPerson(person),
                    event: happening.event,
                    attendance: attendance,
                    now: now
                )
                if answers[index].reply == nil { answers[index].reply = plan.reply }
                if case .push(let push, let position) = plan.next {
                    if let old = pending[push.id] {
                        note(old, .replaced, "the flow began anew")
                    }
                    replace(push, position)
                    answers[index].planned.append(push)
                    history.append(.scheduled(push, position: position, at: now))
                }
            } catch {
                answers[index].notEntered.append((key, error))
            }
        }
    }

    private func attendance(_ flow: PublishedFlow, _ account: Account, _ person: PersonRecord)
        async -> Attendance
    {
        let id = FlowPlanner.id(
            account: account.key,
            flow: flow.flow.key,
            person: person.recipient.person
        )
        if pending[id] != nil { return .inside }
        guard flow.flow.reentry == .once else { return .never }
        var query = DeliveryQuery()
        query.account = account.key
        query.person = person.recipient.person
        query.flow = flow.flow.key
        do {
            let page = try await records.deliveries.find(query, limit: 1)
            return page.items.isEmpty ? .never : .before
        } catch {
            // Not knowing, "once" means rather not again.
            return .before
        }
    }

    private mutating func replace(_ push: Push, _ position: FlowPosition) {
        last[push.id] = .schedule(push, position)
        pending[push.id] = Pending(
            push: push,
            state: .scheduled,
            sequence: 0,
            attempt: 0,
            accepted: now
        )
    }

    /// Notes the end of a push that waits. One in flight ends by what becomes of its message.
    private mutating func note(_ found: Pending, _ outcome: Outcome, _ why: String) {
        guard found.state != .inFlight else { return }
        let position = FlowPosition(found.push)
        ends.append(
            DeliveryRecord(
                push: found.push.id,
                sequence: found.sequence,
                attempt: found.attempt,
                recipient: found.push.recipient,
                flow: position?.flow,
                step: position?.step,
                channel: found.push.channel,
                due: found.push.due,
                at: now,
                state: .ended(outcome),
                cause: SendCause(code: outcome.rawValue, message: why)
            )
        )
    }

    // MARK: Making it durable

    private mutating func schedule() async throws {
        var pushes: [Push] = []
        var cancels: [PushID] = []
        for (id, change) in last {
            switch change {
            case .cancel: cancels.append(id)
            case .schedule(let push, _): pushes.append(push)
            }
        }
        if !cancels.isEmpty { _ = try await timeline.cancel(cancels) }
        guard !pushes.isEmpty else { return }
        let outcomes = try await timeline.schedule(try PushBatch(pushes))
        for (push, outcome) in zip(pushes, outcomes) where outcome == .merged {
            history.append(.merged(push, at: now))
        }
    }

    private func record(_ seen: [Bool]) async throws {
        let new = zip(happenings, seen).filter { !$0.1 }.map(\.0)
        guard !new.isEmpty else { return }
        let events = Dictionary(new.map { ($0.key, $0.event) }, uniquingKeysWith: { a, _ in a })
        let inbound = new.map {
            InboundRecord(
                key: $0.key,
                recipient: $0.recipient,
                at: $0.event.time,
                change: $0.change
            )
        }
        let rules = Dictionary(
            Set(new.map(\.recipient.account)).compactMap { key in
                accounts[key].map { (key, $0.rules) }
            },
            uniquingKeysWith: { a, _ in a }
        )
        let now = now
        let limit = TextLimits.batch
        let insiders = insiders
        // One transaction for all that a usual batch leads to.
        _ = try await records.intake.accept(
            inbound,
            lines: Array(history.prefix(limit)),
            insiders: Array(insiders.prefix(limit))
        ) { record, person, counted in
            guard counted, let rules = rules[record.recipient.account],
                let event = events[record.key]
            else { return }
            Self.permit(&person, after: event, rules: rules, now: now)
        }
        try await append(
            Array(history.dropFirst(limit)),
            insiders: Array(insiders.dropFirst(limit))
        )
        feed.publish(ends + history)
    }

    /// Who is inside flows after the last word on each id.
    private var insiders: [InsiderChange] {
        last.values.map { change in
            switch change {
            case .schedule(let push, let position):
                .planned(Insider(position, of: push.recipient))
            case .cancel(let recipient, let flow): .left(recipient, flow: flow)
            }
        }
    }

    private func append(_ lines: [DeliveryRecord], insiders: [InsiderChange] = [])
        async throws(RecordsError)
    {
        let limit = TextLimits.batch
        for start in stride(from: 0, to: max(lines.count, insiders.count), by: limit) {
            try await records.deliveries.append(
                Array(lines.dropFirst(start).prefix(limit)),
                insiders: Array(insiders.dropFirst(start).prefix(limit))
            )
        }
    }

    private static func permit(
        _ person: inout PersonRecord,
        after event: FlowEvent,
        rules: PermissionRules,
        now: Timestamp
    ) {
        var ledger = PermissionLedger(rules: rules, grants: person.grants, uses: person.uses)
        if case .unfollow = event.kind {
            ledger.correct(.unfollowed, at: event.time)
        } else if let action = event.action {
            ledger.record(action, at: event.time, arrived: now)
        }
        // A platform clock ahead of ours must not make a consent newer than a refusal that follows it.
        ledger.record(event.consents, at: min(event.time, now))
        ledger.prune(at: now)
        person.grants = ledger.grants
        person.uses = ledger.uses
    }
}
