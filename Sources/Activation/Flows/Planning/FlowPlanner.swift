package import BelfryCore

/// What flows need to know about the account they run for.
package struct FlowAccount: Sendable, Hashable {
    /// The account's key in Belfry, without `/`.
    package var key: String
    package var zone: LocalZone
    /// The channel that carries ordinary steps.
    package var channel: String
    /// What `{{account}}` becomes.
    package var name: String
    /// The channels that this server has, for steps that name another one; `nil`: not known, so any.
    package var channels: Set<String>?

    package init(
        key: String,
        zone: LocalZone = .shanghai,
        channel: String = "wechat",
        name: String = "",
        channels: Set<String>? = nil
    ) {
        self.key = key
        self.zone = zone
        self.channel = channel
        self.name = name
        self.channels = channels
    }
}

/// Decides which push of a flow exists next, and what a due one becomes. Pure: time, person and versions come in, a plan comes out.
///
/// Only the next step of a person is ever pending, under one id per person and flow.
package struct FlowPlanner: Sendable {
    package let account: FlowAccount

    package init(account: FlowAccount) { self.account = account }

    /// The id of the one push that a person has pending in a flow.
    package static func id(account: String, flow: String, person: String) -> PushID {
        PushID("flow/\(account)/\(flow)/\(person)")
    }

    /// What to cancel when a person unsubscribes: whatever is pending in any flow.
    package func cancelIDs(person: String, flows: some Sequence<String>) -> [PushID] {
        flows.map { Self.id(account: account.key, flow: $0, person: person) }
    }

    /// The flows that an event starts, the most particular ones only: a follow by a scene's QR code starts that scene's flow instead of
    /// the general one, a keyword its own flow instead of the one for any message.
    package static func triggered(by event: FlowEvent, among flows: [PublishedFlow])
        -> [PublishedFlow]
    {
        let matching = flows.filter { $0.flow.trigger.matches(event) }
        let particular = matching.filter { !$0.flow.trigger.isGeneral }
        return particular.isEmpty ? matching : particular
    }
}
