import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords

/// Decides about reminders that are due: whether the person still wants them, what goes together, and with which words.
///
/// The timeline says when to look; the records say who is subscribed. So whatever becomes of a person's other reminders between now and
/// then, no message has to be taken apart.
struct ReminderGate: Sendable {
    let topics: TopicBook
    let book: ReminderBook
    let records: Records
    let accounts: AccountBook
    let books: BookFollower
    /// Whether a topic's reminders are held for now: then they ride with no other, either.
    var isPaused: @Sendable (_ topic: String) -> Bool = { _ in false }

    enum Passage {
        /// Goes: the push in the channel's own form.
        case send(ReminderMessage, channel: String)
        case stop(Decision)
    }

    /// - Parameter claims: reminders of accounts that exist.
    func decide(_ claims: [Claim], now: Timestamp) async throws(RecordsError) -> [Passage] {
        let people = Set(claims.map(\.push.recipient))
        do {
            return try await book.alone(with: people) { try await look(claims, now) }
        } catch let error as RecordsError {
            throw error
        } catch {
            throw RecordsError(.io, "\(error)")
        }
    }

    private func look(_ claims: [Claim], _ now: Timestamp) async throws -> [Passage] {
        try await books.catchUp()
        let ids = claims.map { ReminderID($0.push.id) }
        let merging = zip(claims, ids).filter { _, id in
            id.flatMap { topics[$0.topic] }?.topic.merge != nil
        }
        let found = try await records.reminders.find(
            ids.compactMap { $0.map(ReminderKey.init) },
            subscriptionsOf: Set(merging.map(\.0.push.recipient))
        )
        return zip(claims, ids).map { claim, id in
            pass(
                claim,
                id,
                own: id.flatMap { found.own[ReminderKey($0)] },
                others: found.others[claim.push.recipient] ?? [],
                now
            )
        }
    }

    private func pass(
        _ claim: Claim,
        _ id: ReminderID?,
        own: ReminderRecord?,
        others: [ReminderRecord],
        _ now: Timestamp
    ) -> Passage {
        guard let id, let entry = topics[id.topic], id.person == claim.push.recipient.person,
            entry.topic.account == claim.push.recipient.account
        else { return .stop(.end(.dead, cause: Self.unknown, successors: [])) }
        if entry.isClosed { return .stop(.end(.cancelled, cause: Self.closed, successors: [])) }
        if book.isAboard(ReminderKey(id), but: claim, at: now) {
            return .stop(.hold(until: now + .seconds(1), .scheduled, cause: Self.aboard))
        }
        let verdict = entry.topic.verdict(
            standing: own?.standing ?? .out,
            due: claim.push.due,
            others: live(others, claim, now),
            now: now
        )
        switch verdict {
        case .send(let members): return send(members, entry.topic, claim, now)
        case .hold(let until, let reason):
            let cause = SendCause(code: "waits", message: reason)
            return .stop(.hold(until: until, .scheduled, cause: cause))
        case .end(let outcome, let code, let reason):
            let cause = SendCause(code: code, message: reason)
            return .stop(.end(outcome, cause: cause, successors: []))
        }
    }

    /// What else the person waits for, and nobody is carrying yet.
    private func live(_ others: [ReminderRecord], _ claim: Claim, _ now: Timestamp)
        -> [ReminderTopic]
    {
        others.compactMap { other in
            guard let entry = topics[other.topic], !entry.isClosed, !isPaused(other.topic),
                !book.isAboard(other.key, but: claim, at: now)
            else { return nil }
            return entry.topic
        }
    }

    private func send(
        _ members: [ReminderTopic],
        _ carrier: ReminderTopic,
        _ claim: Claim,
        _ now: Timestamp
    ) -> Passage {
        let person = claim.push.recipient.person
        let account =
            accounts[claim.push.recipient.account]?.planner.account
            ?? FlowAccount(key: claim.push.recipient.account)
        // The one that is due last tells of all, whoever comes to carry it.
        let teller = carrier.merge?.mode == .newest ? members[members.count - 1] : carrier
        book.board(
            members.map { ReminderKey(topic: $0.key, person: person) },
            with: claim,
            at: now
        )
        return .send(
            ReminderMessage(members, carrier: teller, to: person, account: account),
            channel: carrier.channel
        )
    }

    private static let unknown = SendCause(
        code: "unknown_topic",
        message: "the push's id names no topic of its account",
        remedy: "Subscribe people with `belfry reminder subscribe`; discard the dead letter."
    )
    private static let closed = SendCause(code: "topic_closed", message: "the topic was closed")
    private static let aboard = SendCause(
        code: "on_its_way",
        message: "this reminder is on its way already; what becomes of that decides"
    )
}

extension ReminderRecord {
    /// One that ended without being sent may be tried again: somebody retries a dead letter.
    var standing: ReminderStanding {
        switch state {
        case .subscribed, .ended: .subscribed
        case .cancelled: .out
        case .sent: .sent
        }
    }
}

extension ReminderEnd {
    /// Which reminders a push ended with. What was sent, or may have been, ends for all that it carried; any other end is the push's own.
    static func ends(_ event: DeliveryEvent, _ load: [ReminderKey]) -> [ReminderEnd] {
        guard case .ended(let outcome) = event.change, let id = ReminderID(event.claim.push.id)
        else { return [] }
        switch outcome {
        case .sent, .unknown:
            return load.map { ReminderEnd(key: $0, outcome: outcome, at: event.at) }
        case .cancelled, .replaced, .merged: return []
        default: return [ReminderEnd(key: ReminderKey(id), outcome: outcome, at: event.at)]
        }
    }
}
