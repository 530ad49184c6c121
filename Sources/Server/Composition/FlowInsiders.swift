import BelfryActivation
import BelfryCore
import BelfryDelivery
import BelfryRecords

/// Reads the people inside a flow, page by page: the index says who may be, the timeline who is.
struct FlowInsiders {
    let account: String
    let flow: String
    let records: Records
    let timeline: any Timeline
    let clock: any WallClock

    struct Inside {
        var person: PersonRecord
        var pending: Pending
        var position: FlowPosition
    }

    func page(cursor: String?) async throws -> (inside: [Inside], next: String?) {
        let page = try await records.insiders.list(account: account, flow: flow, cursor: cursor)
        guard !page.items.isEmpty else { return ([], nil) }
        let found = try await timeline.find(
            page.items.map {
                FlowPlanner.id(account: account, flow: flow, person: $0.recipient.person)
            }
        )
        let people = try await records.people.find(page.items.map(\.recipient))
        var inside: [Inside] = []
        var gone: [Insider] = []
        for (insider, pending) in zip(page.items, found) {
            guard let pending else {
                gone.append(insider)
                continue
            }
            // Under the id of one flow a merged push can carry the step of another.
            guard let position = FlowPosition(pending.push), position.flow == flow,
                let person = people[insider.recipient]
            else { continue }
            inside.append(Inside(person: person, pending: pending, position: position))
        }
        // A step is noted a moment before the timeline has it: only who is long due is surely not inside.
        let now = clock.now()
        try await records.insiders.forget(gone.filter { $0.due + .minutes(1) < now })
        return (inside, page.next)
    }
}

extension Insider {
    /// `nil` for pushes that are no flow's.
    init?(_ push: Push) {
        guard let position = FlowPosition(push) else { return nil }
        self.init(position, of: push.recipient)
    }

    init(_ position: FlowPosition, of recipient: Recipient) {
        self.init(recipient: recipient, flow: position.flow, due: position.due)
    }
}

extension InsiderChange {
    /// What the end of a push, and what follows it, change: the steps that were merged into it have ended, too.
    static func changes(_ event: DeliveryEvent) -> [InsiderChange] {
        guard case .ended = event.change else { return [] }
        let claim = event.claim
        var payloads = claim.push.id.isOfFlow ? [claim.push.payload] : []
        if claim.push.merge != nil { payloads = claim.collected + [claim.push.payload] }
        // Pushes of other origin may share a merge key; they are in no flow.
        let positions = payloads.compactMap { try? FlowPosition(payload: $0) }
        return positions.map { .ended(Insider($0, of: claim.push.recipient)) }
            + event.successors.compactMap { Insider($0).map { .planned($0) } }
    }
}
