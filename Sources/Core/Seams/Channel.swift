/// Carries messages out of Belfry: a WeChat customer-service message, a webhook, a log file.
package protocol Channel: Sendable {
    /// The name pushes ask for it by, such as `wechat`, `template`, `webhook`.
    var name: String { get }
    /// Whether a call of ``send(_:)`` is one call of the other side, however many messages it carries, as with a broker. An account's concurrency counts calls there, and
    /// messages elsewhere.
    var isBatching: Bool { get }

    /// Hands messages over, in order where the channel knows an order.
    ///
    /// - Returns: one outcome for each message, in order.
    func send(_ messages: [OutboundMessage]) async -> [SendOutcome]
}

extension Channel {
    package var isBatching: Bool { false }
}

/// One message, ready to go: the gates have passed it and its variables are filled in.
package struct OutboundMessage: Sendable, Hashable {
    package var id: PushID
    package var recipient: Recipient
    /// The channel's own form: a WeChat message object as JSON, a webhook body, a log line.
    package var body: [UInt8]
    /// When its turn came: moved by holds and retries.
    package var due: Timestamp
    /// ``Claim/asked``: when it was to go out.
    package var asked: Timestamp
    package var attempt: Int
    /// ``Claim/sequence``: together with the id it names this very version, the same at every attempt.
    package var sequence: UInt64
    /// Payloads that a collecting merge kept besides the newest, oldest first.
    package var collected: [[UInt8]]

    package init(
        id: PushID,
        recipient: Recipient,
        body: [UInt8],
        due: Timestamp,
        asked: Timestamp? = nil,
        attempt: Int = 0,
        sequence: UInt64 = 0,
        collected: [[UInt8]] = []
    ) {
        self.id = id
        self.recipient = recipient
        self.body = body
        self.due = due
        self.asked = asked ?? due
        self.attempt = attempt
        self.sequence = sequence
        self.collected = collected
    }
}

/// What the other side made of a message.
package enum SendOutcome: Sendable, Hashable {
    /// Accepted. The reference is the other side's id, where there is one.
    case sent(reference: String?)
    /// Surely not accepted, and worth another attempt, not before `after` has passed.
    case retry(after: Duration?, cause: SendCause)
    /// Surely not accepted, and never will be.
    case refused(Outcome, cause: SendCause)
    /// The call ended without an answer after the message may have been accepted.
    case unknown(cause: SendCause)
    /// As `unknown`, but for so long after the first try the other side knows a repetition of this very message, and takes it once: until
    /// then it may be tried again.
    case repeatable(within: Duration, cause: SendCause)
    /// Nothing of this account can be sent until somebody acts: the account is paused, the push is held.
    case stopAccount(cause: SendCause)
}

/// Why, in words for people and in a code for programs.
package struct SendCause: Sendable, Hashable, Codable {
    /// A stable short code: `45015`, `http_500`, `connect_refused`, `timeout`.
    package var code: String
    /// What happened, without secrets.
    package var message: String
    /// What a person can do about it; empty where nothing need be done.
    package var remedy: String

    package init(code: String, message: String, remedy: String = "") {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}
