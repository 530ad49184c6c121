import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords
import BelfryWeChat
import Logging

/// The gate that asks whether a push may be sent at all, and with which words: permission, conditions, texts.
///
/// All pushes of a batch are decided in one transaction of the records, which also reserves their permission, so that two sends never
/// spend the same message. A reservation names the version of the push: found again after a crash, it says that the message may have
/// been sent already.
struct PermissionGate: Gatekeeper {
    let accounts: AccountBook
    let records: Records
    let boarding: BoardingBook
    let reminders: ReminderGate
    let books: BookFollower
    let arrivals: ArrivalBook
    /// This process: a reservation of another one is of a message that may have been sent.
    let process: ReservationMaker
    let logger: Logger

    func decide(_ claims: [Claim], now: Timestamp) async -> [Decision] {
        var accounts = known(claims)
        if !claims.allSatisfy({ isKnown($0, accounts) }) {
            do { try await books.catchUp() } catch {
                var decisions = claims.map { pass($0, accounts) }
                hold(Array(claims.indices), &decisions, now, error)
                return decisions
            }
            accounts = known(claims)
        }
        var decisions = claims.map { pass($0, accounts) }
        let alive = await stopErased(claims, &decisions, now)
        // From here on a reminder is the message that it becomes.
        var claims = claims
        let going = await passReminders(alive, &claims, &decisions, now)
        // Pushes that need neither permission nor a person's words pass without touching the records.
        let asking = going.filter { needsLedger(claims[$0], accounts) }
        guard !asking.isEmpty else { return decisions }
        do {
            let asked = asking.map { claims[$0] }
            await arrivals.settled(Set(asked.map(\.push.recipient)))
            let desk = GateDesk(accounts: accounts, process: process, now: now)
            let keys = asked.map(ReservationKey.init)
            let results = try await records.ledger.update(keys) { ledger throws(RecordsError) in
                asked.map { desk.decide($0, &ledger) }
            }
            let links = results.flatMap(\.links)
            if !links.isEmpty { try await records.links.create(links) }
            for (index, result) in zip(asking, results) {
                boarding[claims[index]] = result.person
                decisions[index] = result.decision
            }
        } catch {
            hold(asking, &decisions, now, error)
        }
        return decisions
    }

    private func known(_ claims: [Claim]) -> [String: Account] {
        Dictionary(
            Set(claims.map(\.push.recipient.account)).compactMap { key in
                self.accounts[key].map { (key, $0) }
            },
            uniquingKeysWith: { a, _ in a }
        )
    }

    /// Whether the account is there, and the flow in the version that the push belongs to: another server may have just published it.
    private func isKnown(_ claim: Claim, _ accounts: [String: Account]) -> Bool {
        guard let account = accounts[claim.push.recipient.account] else { return false }
        guard let position = FlowPosition(claim.push) else { return true }
        return account.versions[position.flow].map { position.version <= $0.current.version }
            ?? false
    }

    /// Ends the pushes of people who were erased since.
    ///
    /// - Returns: the others that can be decided.
    private func stopErased(_ claims: [Claim], _ decisions: inout [Decision], _ now: Timestamp)
        async -> [Int]
    {
        let suspects = claims.indices.filter { records.erasures.mayCover(claims[$0].accepted) }
        guard !suspects.isEmpty else { return Array(claims.indices) }
        do {
            let covered = try await records.erasures.cover(
                suspects.map { (claims[$0].push.recipient, claims[$0].accepted) }
            )
            let erased = Set(zip(suspects, covered).filter(\.1).map(\.0))
            for index in erased {
                decisions[index] = .end(.cancelled, cause: Self.erased, successors: [])
            }
            return claims.indices.filter { !erased.contains($0) }
        } catch {
            hold(suspects, &decisions, now, error)
            return claims.indices.filter { !suspects.contains($0) }
        }
    }

    /// Gives reminders that go their message, and tells of the others why they do not.
    ///
    /// - Returns: what is still to be decided.
    private func passReminders(
        _ alive: [Int],
        _ claims: inout [Claim],
        _ decisions: inout [Decision],
        _ now: Timestamp
    ) async -> [Int] {
        let due = alive.filter { index in
            guard claims[index].push.id.isOfReminder, case .send = decisions[index] else {
                return false
            }
            return true
        }
        guard !due.isEmpty else { return alive }
        var stopped: Set<Int> = []
        do {
            let passages = try await reminders.decide(due.map { claims[$0] }, now: now)
            for (index, passage) in zip(due, passages) {
                switch passage {
                case .send(let message, let channel):
                    claims[index].push.payload = message.body
                    claims[index].push.channel = channel
                    claims[index].collected = message.collected
                    decisions[index] = .send(OutboundMessage(claims[index]), channel: channel)
                case .stop(let decision):
                    decisions[index] = decision
                    stopped.insert(index)
                }
            }
        } catch {
            hold(due, &decisions, now, error)
            stopped = Set(due)
        }
        return alive.filter { !stopped.contains($0) }
    }

    private func hold(
        _ indices: [Int],
        _ decisions: inout [Decision],
        _ now: Timestamp,
        _ error: RecordsError
    ) {
        logger.error("pushes held: the records cannot be asked", metadata: ["error": "\(error)"])
        let cause = SendCause(
            code: "records_unavailable",
            message: "the records cannot be asked: \(error)",
            remedy: "See the server's log; the pushes are tried again by themselves."
        )
        for index in indices {
            decisions[index] = .hold(until: now + .seconds(5), .retrying, cause: cause)
        }
    }

    private static let erased = SendCause(
        code: "erased",
        message: "the person was erased after this push was accepted"
    )

    private func needsLedger(_ claim: Claim, _ accounts: [String: Account]) -> Bool {
        guard let account = accounts[claim.push.recipient.account] else { return false }
        if claim.push.id.isOfFlow { return true }
        return switch WeChatInterface(rawValue: claim.push.channel) {
        case nil: false
        // The try of a template message is noted under every rule.
        case .template: true
        case .customerService, .subscribe: !account.rules.isUnlimited
        }
    }

    /// What becomes of a push about which the records need not be asked.
    private func pass(_ claim: Claim, _ accounts: [String: Account]) -> Decision {
        let key = claim.push.recipient.account
        if accounts[key] == nil {
            let cause = SendCause(
                code: "unknown_account",
                message: "there is no account '\(key)'",
                remedy: "Create the account, then retry the dead letter."
            )
            return .end(.dead, cause: cause, successors: [])
        }
        return .send(OutboundMessage(claim), channel: claim.push.channel)
    }
}

extension ReservationKey {
    init(_ claim: Claim) {
        self.init(
            recipient: claim.push.recipient,
            push: claim.push.id,
            sequence: claim.sequence
        )
    }
}

extension ReservedSend {
    init(_ claim: Claim) {
        let position = FlowPosition(claim.push)
        self.init(
            channel: claim.push.channel,
            due: claim.push.due,
            attempt: claim.attempt,
            flow: position?.flow,
            step: position?.step
        )
    }
}
