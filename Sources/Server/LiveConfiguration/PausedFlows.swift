import BelfryActivation
import BelfryCore
import BelfryDelivery

/// Holds the pushes of flows that are paused, and asks another gate about all others.
struct PausedFlows<Base: Gatekeeper>: Gatekeeper {
    let base: Base
    let live: LiveConfiguration

    /// What is held is looked at again so often: so long a resumed flow may wait.
    static var again: Duration { .seconds(30) }

    func decide(_ claims: [Claim], now: Timestamp) async -> [Decision] {
        let paused = live.settings.pausedFlows
        guard !paused.isEmpty else { return await base.decide(claims, now: now) }
        let holds = claims.map { hold($0, paused, now) }
        let passing = claims.indices.filter { holds[$0] == nil }
        let decisions = await base.decide(passing.map { claims[$0] }, now: now)
        var found = Dictionary(uniqueKeysWithValues: zip(passing, decisions))
        for (index, hold) in holds.enumerated() { if let hold { found[index] = hold } }
        return claims.indices.compactMap { found[$0] }
    }

    private func hold(
        _ claim: Claim,
        _ paused: [LiveSettings.FlowName: String],
        _ now: Timestamp
    ) -> Decision? {
        guard claim.push.id.isOfFlow, let flow = FlowPosition(claim.push)?.flow,
            let reason = paused[.init(account: claim.push.recipient.account, flow: flow)]
        else { return nil }
        let cause = SendCause(
            code: "flow_paused",
            message: "the flow \(flow) is paused: \(reason)",
            remedy:
                "belfry config set flow.\(claim.push.recipient.account)/\(flow).paused= ends the pause"
        )
        return .hold(until: now + Self.again, .heldPaused, cause: cause)
    }
}
