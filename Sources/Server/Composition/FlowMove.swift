import BelfryActivation
import BelfryCore
import BelfryRecords

/// Moves the people inside a flow to a version that was just published with the policy `follow-live`: their pending push is planned anew
/// from the clock that it was planned from. Under the other policies nothing moves; the gate applies them when a push is due.
struct FlowMove {
    let account: Account
    let versions: FlowVersions
    let records: Records
    let timeline: any Timeline
    let clock: any WallClock

    /// - Returns: how many pending pushes were moved. What is in flight goes on and meets the new version at its next step.
    func run() async throws -> Int {
        var moved = 0
        var cursor: String?
        repeat {
            let page = try await records.people.list(
                account: account.key,
                limit: TextLimits.page,
                cursor: cursor
            )
            moved += try await move(page.items)
            cursor = page.next
        } while cursor != nil
        return moved
    }

    private func move(_ people: [PersonRecord]) async throws -> Int {
        let flow = versions.current.flow.key
        let ids = people.map {
            FlowPlanner.id(account: account.key, flow: flow, person: $0.recipient.person)
        }
        guard !ids.isEmpty else { return 0 }
        var pushes: [Push] = []
        for (person, pending) in zip(people, try await timeline.find(ids)) {
            guard let pending, pending.state == .scheduled,
                let position = FlowPosition(pending.push)
            else { continue }
            let plan = account.planner.replan(
                position,
                versions: versions,
                person: FlowPerson(person)
            )
            // A flow that ends by the move ends at the gate, where the reason is recorded.
            if let push = plan.push, push != pending.push { pushes.append(push) }
        }
        guard !pushes.isEmpty else { return 0 }
        let outcomes = try await timeline.schedule(pushes)
        let merged = zip(pushes, outcomes).filter { $0.1 == .merged }.map(\.0)
        try await records.deliveries.append(merged.map { .merged($0, at: clock.now()) })
        return pushes.count
    }
}
