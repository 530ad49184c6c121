/// Carries messages out of Belfry: a WeChat customer-service message, a webhook, a log file.
package protocol Channel: Sendable {
    /// The name pushes ask for it by, such as `wechat`, `template`, `webhook`.
    var name: String { get }
    /// Whether a call of ``send(_:)`` is one call of the other side, however many messages it carries, as with a broker. An account's concurrency counts calls there, and
    /// messages elsewhere.
    var isBatching: Bool { get }

    /// Where the messages of an account go: what can be out of order as a whole, for this account and for all others that share it. Called often.
    func endpoint(of account: String) -> Endpoint

    /// Hands messages over, in order where the channel knows an order.
    ///
    /// - Returns: one outcome for each message, in order.
    func send(_ messages: [OutboundMessage]) async -> [SendOutcome]
}

extension Channel {
    package var isBatching: Bool { false }

    package func endpoint(of account: String) -> Endpoint {
        Endpoint(channel: name, name: account)
    }
}

/// The other side of a channel, as far as it fails as one: a broker, a stream, an account's webhook, WeChat's API for an account.
package struct Endpoint: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var channel: String
    /// The account's key, or that of a stream; empty where the channel has one for all.
    package var name: String

    package init(channel: String, name: String = "") {
        self.channel = channel
        self.name = name
    }

    package var description: String { name.isEmpty ? channel : "\(channel) (\(name))" }

    package static func < (one: Endpoint, other: Endpoint) -> Bool {
        (one.channel, one.name) < (other.channel, other.name)
    }
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
    /// As `retry`, and the reason is not the message: nobody can be reached at the channel's ``Endpoint``, or whoever answers there is out of order.
    case unreachable(after: Duration?, cause: SendCause)
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
