import BelfryActivation
import BelfryCore
import BelfryDelivery

/// Holds the pushes of flows and the reminders of topics that are paused, and asks another gate about all others.
struct PausedPushes<Base: Gatekeeper>: Gatekeeper {
    let base: Base
    let live: LiveConfiguration

    /// What is held is looked at again so often: so long it may wait after its pause has ended.
    static var again: Duration { .seconds(30) }

    func decide(_ claims: [Claim], now: Timestamp) async -> [Decision] {
        let settings = live.settings
        guard !settings.pausedFlows.isEmpty || !settings.pausedTopics.isEmpty else {
            return await base.decide(claims, now: now)
        }
        let holds = claims.map { hold($0, settings, now) }
        let passing = claims.indices.filter { holds[$0] == nil }
        let decisions = await base.decide(passing.map { claims[$0] }, now: now)
        var found = Dictionary(uniqueKeysWithValues: zip(passing, decisions))
        for (index, hold) in holds.enumerated() { if let hold { found[index] = hold } }
        return claims.indices.compactMap { found[$0] }
    }

    private func hold(_ claim: Claim, _ settings: LiveSettings, _ now: Timestamp) -> Decision? {
        guard let cause = flow(claim.push, settings) ?? topic(claim.push, settings) else {
            return nil
        }
        return .hold(until: now + Self.again, .heldPaused, cause: cause)
    }

    private func flow(_ push: Push, _ settings: LiveSettings) -> SendCause? {
        guard let name = LiveSettings.FlowName(push), let reason = settings.pausedFlows[name] else {
            return nil
        }
        return SendCause(
            code: "flow_paused",
            message: "the flow \(name.flow) is paused: \(reason)",
            remedy: "belfry config set flow.\(name.account)/\(name.flow).paused= ends the pause"
        )
    }

    private func topic(_ push: Push, _ settings: LiveSettings) -> SendCause? {
        guard push.id.isOfReminder, let topic = ReminderID(push.id)?.topic,
            let reason = settings.pausedTopics[topic]
        else { return nil }
        return SendCause(
            code: "topic_paused",
            message: "the topic \(topic) is paused: \(reason)",
            remedy: "belfry config set topic.\(topic).paused= ends the pause"
        )
    }
}

extension LiveSettings.FlowName {
    /// The flow that a push belongs to; `nil`: to none.
    init?(_ push: Push) {
        guard push.id.isOfFlow, let flow = FlowPosition(push)?.flow else { return nil }
        self.init(account: push.recipient.account, flow: flow)
    }
}
