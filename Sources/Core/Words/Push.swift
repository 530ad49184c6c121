/// One message to one recipient at one due time.
package struct Push: Sendable, Hashable {
    package var id: PushID
    package var recipient: Recipient
    /// Never claimed before this time by the timeline's clock; a past time is due now.
    package var due: Timestamp
    /// After this time the push is no longer worth sending: it is claimed as expired, not delivered. `nil`: never.
    package var expires: Timestamp?
    package var priority: Priority
    /// The name of the channel that carries it, at most ``PushLimits/channelBytes`` bytes.
    package var channel: String
    package var merge: MergeRule?
    /// Opaque to the timeline; at most ``PushLimits/payloadBytes`` bytes.
    package var payload: [UInt8]

    package init(
        id: PushID,
        recipient: Recipient,
        due: Timestamp,
        expires: Timestamp? = nil,
        priority: Priority = .normal,
        channel: String,
        merge: MergeRule? = nil,
        payload: [UInt8]
    ) {
        self.id = id
        self.recipient = recipient
        self.due = due
        self.expires = expires
        self.priority = priority
        self.channel = channel
        self.merge = merge
        self.payload = payload
    }
}
