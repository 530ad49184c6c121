import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords
import BelfryWeChat
import Logging

/// Writes down what became of pushes: history and counters, permission used or given back, what WeChat's refusals taught, dead letters.
///
/// Every part may be repeated: a history line is named by push, sequence, attempt and state, a reservation by push and sequence.
struct HistoryRecorder: Recorder {
    let accounts: AccountBook
    let records: Records
    let boarding: BoardingBook
    let reminders: ReminderBook
    let reports: NoticeReports
    let feed: LiveFeed
    let logger: Logger

    /// Whoever looks at the reminders of one of these people sees both, or neither: that a message has gone, and that it is on its way no more.
    func record(_ events: [DeliveryEvent]) async throws {
        let people = events.filter(\.claim.push.id.isOfReminder).map(\.claim.push.recipient)
        try await reminders.alone(with: Set(people)) { try await write(events) }
    }

    private func write(_ events: [DeliveryEvent]) async throws {
        let erased = try await erased(events)
        let dead = events.filter { $0.change == .ended(.dead) && !erased.contains($0.claim.token) }
        if !dead.isEmpty { try await records.deadLetters.add(dead.map { DeadLetterRecord($0) }) }
        let holds = try await holds(events)
        var part: [DeliveryEvent] = []
        var history: [DeliveryRecord] = []
        var insiders: [InsiderChange] = []
        var ends: [ReminderEnd] = []
        for event in events {
            let isErased = erased.contains(event.claim.token)
            let told = lines(event, heldFor: holds[PushVersion(event.claim)])
            let lines = isErased ? [told[0].anonymous] : told
            let changes = isErased ? [] : InsiderChange.changes(event)
            if max(history.count + lines.count, insiders.count + changes.count) > TextLimits.batch {
                try await write(part, history, insiders, ends)
                part = []
                history = []
                insiders = []
                ends = []
            }
            if !isErased { part.append(event) }
            history += lines
            insiders += changes
            if event.claim.push.id.isOfReminder {
                ends += ReminderEnd.ends(event, reminders.load(of: event.claim))
            }
        }
        try await write(part, history, insiders, ends)
        for event in events {
            boarding[event.claim] = nil
            if event.claim.push.id.isOfReminder { reminders.leave(event.claim) }
        }
    }

    /// The claims whose person was erased after they were accepted: nothing that names the person is written any more.
    private func erased(_ events: [DeliveryEvent]) async throws -> Set<ClaimToken> {
        let suspects = events.filter { records.erasures.mayCover($0.claim.accepted) }
        guard !suspects.isEmpty else { return [] }
        let covered = try await records.erasures.cover(
            suspects.map { ($0.claim.push.recipient, $0.claim.accepted) }
        )
        return Set(zip(suspects, covered).filter(\.1).map(\.0.claim.token))
    }

    func alert(_ alert: DeliveryAlert) async {
        switch alert {
        case .accountStopped(let account, let cause):
            logger.error(
                "account stopped",
                metadata: [
                    "account": "\(account)", "code": "\(cause.code)", "cause": "\(cause.message)",
                    "remedy": "\(cause.remedy)",
                ]
            )
            do {
                try await records.accounts.pause(account, reason: "\(cause.code): \(cause.message)")
                try await accounts.reload(account)
            } catch {
                logger.error(
                    "the stop of an account was not recorded",
                    metadata: ["error": "\(error)"]
                )
            }
        case .recordsFailing(let waiting, let error):
            logger.error(
                "records failing",
                metadata: ["waiting": "\(waiting)", "error": "\(error)"]
            )
        case .recordsRecovered: logger.notice("records recovered")
        }
    }

    // MARK: History

    /// What had put off the pushes that have ended late.
    private func holds(_ events: [DeliveryEvent]) async throws -> [PushVersion: WaitingState] {
        let held = events.lazy.filter { $0.hasEnded && $0.claim.held > .zero }.map(\.claim)
        return try await records.deliveries.lastHolds(
            of: Set(held.map { PushVersion($0) }),
            since: held.map(\.asked).min() ?? .distantPast
        )
    }

    private func lines(_ event: DeliveryEvent, heldFor: WaitingState?) -> [DeliveryRecord] {
        let claim = event.claim
        let position = FlowPosition(claim.push)
        let state: DeliveryState
        switch event.change {
        case .ended(let outcome): state = .ended(outcome)
        case .waits(let waiting, _): state = .waiting(waiting)
        }
        var lines = [
            DeliveryRecord(
                push: claim.push.id,
                sequence: claim.sequence,
                attempt: claim.attempt,
                recipient: claim.push.recipient,
                flow: position?.flow,
                step: position?.step,
                channel: event.channel,
                due: claim.push.due,
                asked: claim.asked,
                at: event.at,
                state: state,
                cause: event.cause ?? SendCause(code: "", message: ""),
                latenessMilliseconds: event.lateness.map { Int($0.milliseconds) },
                reference: event.reference
            )
        ]
        lines[0].heldFor = heldFor
        if event.hasEnded { lines += DeliveryRecord.merged(into: claim, at: event.at) }
        lines += event.successors.map {
            .scheduled($0, position: FlowPosition($0), at: event.at)
        }
        return lines
    }

    // MARK: Permission

    /// Lines and permission in one transaction: whoever finds a reservation knows that nothing tells yet what became of its send.
    private func write(
        _ events: [DeliveryEvent],
        _ history: [DeliveryRecord],
        _ insiders: [InsiderChange],
        _ ends: [ReminderEnd]
    ) async throws {
        let concerned = events.filter {
            $0.claim.push.id.isOfFlow || WeChatInterface(rawValue: $0.channel) != nil
        }
        let rules = Dictionary(
            Set(concerned.map(\.claim.push.recipient.account)).compactMap { key in
                accounts[key].map { (key, $0.rules) }
            },
            uniquingKeysWith: { a, _ in a }
        )
        let keys = concerned.map { ReservationKey($0.claim) }
        try await records.ledger.update(
            keys,
            adding: history,
            insiders: insiders,
            reminders: ends
        ) { ledger throws(RecordsError) in
            for event in concerned { settle(event, rules, &ledger) }
        }
        try await reports.recorded(history)
        feed.publish(history)
        for event in concerned where event.change == .ended(.unsubscribed) && event.sentAt != nil {
            // WeChat told us before any event did.
            try await records.people.update(event.claim.push.recipient) { person in
                _ = person.apply(.unsubscribed, at: event.at)
            }
        }
    }

    private func settle(
        _ event: DeliveryEvent,
        _ rules: [String: PermissionRules],
        _ ledger: inout Ledger
    ) {
        let key = ReservationKey(event.claim)
        let recipient = event.claim.push.recipient
        let template = ledger[reservation: key]?.consent
        if var reservation = ledger[reservation: key] {
            switch event.reservation {
            case .used: ledger[reservation: key] = nil
            case .kept:
                reservation.made = GateDesk.notSent
                ledger[reservation: key] = reservation
            case .released where event.change == .ended(.unknown):
                // It may have been sent: counted.
                ledger[reservation: key] = nil
            case .uncertain:
                if reservation.granted == GateDesk.notSent {
                    reservation.granted = event.sentAt ?? event.at
                }
                ledger[reservation: key] = reservation
            case .released where !event.hasEnded && reservation.isUncertainTemplate:
                // It holds nothing that could be given back, and knows since when it may have been accepted.
                reservation.made = GateDesk.notSent
                ledger[reservation: key] = reservation
            case .released: ledger.giveBack(key, under: rules[recipient.account])
            }
        }
        guard let outcome = event.refused, let sent = event.sentAt,
            let rules = rules[recipient.account]
        else { return }
        let correction: LedgerCorrection
        switch outcome {
        case .window45015: correction = .windowClosed
        case .count45047: correction = .countUsedUp
        case .unsubscribed: correction = .unfollowed
        case .refused43101:
            guard let template else { return }
            correction = .refused(template: template)
        default: return
        }
        var permission = PermissionLedger(ledger.people[recipient], rules: rules)
        permission.correct(correction, at: sent)
        ledger.set(permission, of: recipient)
    }
}

extension PushVersion {
    init(_ claim: Claim) { self.init(push: claim.push.id, sequence: claim.sequence) }
}

extension DeliveryEvent {
    fileprivate var hasEnded: Bool { if case .ended = change { true } else { false } }

    /// What the channel refused it for, be that the end or not.
    fileprivate var refused: Outcome? {
        if case .ended(let outcome) = change { outcome } else { refusal }
    }
}

extension DeadLetterRecord {
    init(_ event: DeliveryEvent) {
        self.init(
            push: event.claim.push,
            sequence: event.claim.sequence,
            attempts: event.claim.attempt + 1,
            at: event.at,
            cause: event.cause ?? SendCause(code: "dead", message: "")
        )
    }
}
