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
        let insiders = FlowInsiders(
            account: account.key,
            flow: versions.current.flow.key,
            records: records,
            timeline: timeline,
            clock: clock
        )
        var moved = 0
        var cursor: String?
        repeat {
            let page = try await insiders.page(cursor: cursor)
            moved += try await move(page.inside)
            cursor = page.next
        } while cursor != nil
        return moved
    }

    private func move(_ inside: [FlowInsiders.Inside]) async throws -> Int {
        var pushes: [Push] = []
        for insider in inside where insider.pending.state == .scheduled {
            let plan = account.planner.replan(
                insider.position,
                versions: versions,
                person: FlowPerson(insider.person)
            )
            // A flow that ends by the move ends at the gate, where the reason is recorded.
            if let push = plan.push, push != insider.pending.push { pushes.append(push) }
        }
        guard !pushes.isEmpty else { return 0 }
        let outcomes = try await timeline.schedule(pushes)
        let merged = zip(pushes, outcomes).filter { $0.1 == .merged }.map(\.0)
        try await records.deliveries.append(
            merged.map { .merged($0, at: clock.now()) },
            insiders: pushes.compactMap { Insider($0).map { .planned($0) } }
        )
        return pushes.count
    }
}
