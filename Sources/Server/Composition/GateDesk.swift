import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords
import BelfryWeChat

/// Decides one push with the ledger at hand. Pure: it may run twice.
struct GateDesk: Sendable {
    let accounts: [String: Account]
    let process: ReservationMaker
    let now: Timestamp

    struct Result: Sendable {
        var decision: Decision
        var links: [LinkRecord] = []
        var person: FlowPerson?
    }

    func decide(_ claim: Claim, _ ledger: inout Ledger) -> Result {
        let key = ReservationKey(claim)
        let person = ledger.people[claim.push.recipient]
        guard let account = accounts[claim.push.recipient.account] else {
            return Result(decision: .end(.dead, cause: nil, successors: []))
        }
        let flowPerson =
            person.map(FlowPerson.init)
            ?? FlowPerson(id: claim.push.recipient.person, isFollowing: false)
        if let reservation = ledger[reservation: key],
            let first = reservation.uncertain(at: claim.attempt, for: process)
        {
            // Whatever would be decided now: a process that crashed may have sent it.
            guard reservation.isRepeatable(first, at: now) else {
                return interrupted(claim, account, flowPerson)
            }
            ledger[reservation: key]?.granted = first
        }
        var result =
            if let position = FlowPosition(claim.push) {
                flow(claim, position, account, flowPerson, &ledger)
            } else if claim.push.id.isOfFlow {
                Result(decision: .end(.dead, cause: Self.unreadable, successors: []))
            } else {
                plain(claim, account, person, &ledger)
            }
        if case .end(let outcome, let cause, _) = result.decision {
            let pushes = successors(claim, outcome, account, flowPerson)
            result.decision = .end(outcome, cause: cause, successors: pushes)
        } else if case .send = result.decision, var reservation = ledger[reservation: key] {
            reservation.made = now
            reservation.maker = process
            reservation.send = ReservedSend(claim)
            ledger[reservation: key] = reservation
        }
        result.person = flowPerson
        return result
    }

    private func interrupted(_ claim: Claim, _ account: Account, _ person: FlowPerson) -> Result {
        Result(
            decision: .end(
                .unknown,
                cause: Self.interrupted,
                successors: successors(claim, .unknown, account, person)
            ),
            person: person
        )
    }

    // MARK: A push that the API scheduled

    private func plain(
        _ claim: Claim,
        _ account: Account,
        _ person: PersonRecord?,
        _ ledger: inout Ledger
    ) -> Result {
        if let person, let left = person.unsubscribedAt,
            !person.subscribed || left > claim.accepted
        {
            return Result(
                decision: .end(
                    .unsubscribed,
                    cause: SendCause(code: "unsubscribed", message: "the person unsubscribed"),
                    successors: []
                )
            )
        }
        let need: PermissionNeed
        do {
            need = try Self.need(of: claim.push)
        } catch {
            let cause = SendCause(code: "invalid_message", message: "\(error)")
            return Result(decision: .end(.dead, cause: cause, successors: []))
        }
        if let refusal = reserve(claim, account, person, need, &ledger) {
            return Result(decision: .end(.noGrant, cause: Self.cause(refusal), successors: []))
        }
        return Result(decision: .send(OutboundMessage(claim), channel: claim.push.channel))
    }

    private static func need(of push: Push) throws(InvalidMessage) -> PermissionNeed {
        switch WeChatInterface(rawValue: push.channel) {
        case .customerService, nil: .window
        case .template: .follower
        case .subscribe:
            .consent(template: try SubscribeNotification(json: push.payload).templateID)
        }
    }

    // MARK: A step of a flow

    private func flow(
        _ claim: Claim,
        _ position: FlowPosition,
        _ account: Account,
        _ person: FlowPerson,
        _ ledger: inout Ledger
    ) -> Result {
        guard let versions = account.versions[position.flow] else {
            let cause = SendCause(
                code: "unknown_flow",
                message: "the account has no readable flow '\(position.flow)'",
                remedy: "Publish the flow again, then retry the dead letter."
            )
            return Result(decision: .end(.dead, cause: cause, successors: []))
        }
        let record = ledger.people[claim.push.recipient]
        let reservation = ledger[reservation: ReservationKey(claim)]
        let isFallingBack = reservation?.isOfNotice ?? false
        let desk = LinkDesk(claim, flow: position.flow, account: account, now: now)
        let trackedLink: (@Sendable (String) -> String)? =
            desk.isTracking ? { @Sendable link in desk.code(for: link) } : nil
        let resolution = account.planner.resolve(
            position,
            versions: versions,
            person: person,
            ledger: reservation != nil && !isFallingBack
                ? nil : PermissionLedger(record, rules: account.rules),
            isFallingBack: isFallingBack,
            lookups: DeliveryLookups(
                // The WeChat channel uploads what a message names so, and renews it, at the moment of sending.
                mediaID: { "file:\($0.path)" },
                trackedLink: trackedLink
            ),
            now: now
        )
        switch resolution {
        case .hold(let until, let state, let reason):
            return Result(
                decision: .hold(
                    until: until,
                    state,
                    cause: SendCause(code: state.rawValue, message: reason)
                )
            )
        case .skip(let outcome, let reason):
            let cause = SendCause(code: outcome.rawValue, message: reason)
            return Result(decision: .end(outcome, cause: cause, successors: []))
        case .send(let step): return send(step, nil, claim, account, desk, &ledger)
        case .fallBack(let step, let reason):
            let note = SendCause(
                code: "fell_back",
                message: "\(step.channel) instead of \(account.planner.account.channel): \(reason)"
            )
            return send(step, note, claim, account, desk, &ledger)
        }
    }

    private func send(
        _ step: OutgoingStep,
        _ note: SendCause?,
        _ claim: Claim,
        _ account: Account,
        _ desk: LinkDesk,
        _ ledger: inout Ledger
    ) -> Result {
        let record = ledger.people[claim.push.recipient]
        if let refusal = reserve(claim, account, record, step.permission, &ledger) {
            let cause = Self.cause(refusal)
            return Result(decision: .end(.noGrant, cause: cause, successors: []))
        }
        var message = OutboundMessage(claim)
        message.body = step.body
        message.collected = []
        return Result(
            decision: .send(message, channel: step.channel, note: note),
            links: desk.links(of: step.body)
        )
    }

    private func successors(
        _ claim: Claim,
        _ outcome: Outcome,
        _ account: Account,
        _ person: FlowPerson
    ) -> [Push] {
        account.successors(of: claim, outcome: outcome, person: person, now: now)
    }

    // MARK: Permission

    /// Reserves what the message needs, unless this version of the push holds it already.
    ///
    /// - Returns: why it may not be sent; `nil` where it may.
    private func reserve(
        _ claim: Claim,
        _ account: Account,
        _ person: PersonRecord?,
        _ need: PermissionNeed,
        _ ledger: inout Ledger
    ) -> NoPermission? {
        let key = ReservationKey(claim)
        guard ledger[reservation: key] == nil else { return nil }
        var permission = PermissionLedger(person, rules: account.rules)
        do throws(NoPermission) {
            let use: GrantUse
            switch need {
            case .none: return nil
            case .follower:
                ledger[reservation: key] = .template(at: now)
                return nil
            case .window: use = try permission.reserve(at: now)
            case .consent(let template):
                use = try permission.reserveConsent(template: template, at: now)
            }
            ledger.set(permission, of: claim.push.recipient)
            if let taken = use.taken.first {
                ledger[reservation: key] = Reservation(
                    source: taken.source,
                    granted: taken.granted,
                    taken: use.time,
                    made: now
                )
            }
            return nil
        } catch {
            return error
        }
    }

    /// Marks a reservation whose message was surely not sent: it waits for the next attempt.
    static let notSent = Timestamp(milliseconds: 0)

    private static func cause(_ refusal: NoPermission) -> SendCause {
        SendCause(
            code: Outcome.noGrant.rawValue,
            message: refusal.description,
            remedy: refusal.nextPossible.isEmpty
                ? "" : "Invite the person to write: a message opens the longest window."
        )
    }

    private static let unreadable = SendCause(
        code: "unreadable_position",
        message: "the push's payload is no position in a flow"
    )
    private static let interrupted = SendCause(
        code: "interrupted",
        message: "the server stopped while this message was being sent; it may have been sent",
        remedy: "Ask WeChat's records if it matters; set the account's unknown policy otherwise."
    )
}

extension Account {
    /// What follows when a push of a flow has ended; `nil` for other pushes.
    func plan(after push: Push, outcome: Outcome, person: FlowPerson, now: Timestamp) -> Plan? {
        guard let position = FlowPosition(push), let versions = versions[position.flow] else {
            return nil
        }
        return planner.next(
            after: position,
            outcome: outcome,
            versions: versions,
            person: person,
            now: now
        )
    }

    /// The pushes that follow when a claim has ended: the next step of its flow, and of every flow whose step was merged into it.
    func successors(of claim: Claim, outcome: Outcome, person: FlowPerson, now: Timestamp)
        -> [Push]
    {
        let own = plan(after: claim.push, outcome: outcome, person: person, now: now)
        let merged = planner.afterMerge(
            claim.collected,
            versions: { versions[$0] },
            person: person,
            now: now
        )
        return ([own] + merged.map(\.plan)).compactMap { $0?.push }
    }
}
