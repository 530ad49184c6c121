package import BelfryCore

/// One verified callback, as far as it changes what we know of a person.
package struct InboundRecord: Sendable {
    /// Names the callback: `appid|openid|MsgId`, or `appid|openid|CreateTime|Event|EventKey|MsgID`. At most 512 bytes; a caller whose
    /// parts may be longer hashes them.
    package var key: String
    package var recipient: Recipient
    /// CreateTime: the same in every repetition of the callback.
    package var at: Timestamp
    package var change: PersonChange
    /// What is answered, now and to repetitions; `nil`: set later with `remember`, or never.
    package var answer: [UInt8]?

    package init(
        key: String,
        recipient: Recipient,
        at: Timestamp,
        change: PersonChange,
        answer: [UInt8]? = nil
    ) {
        self.key = key
        self.recipient = recipient
        self.at = at
        self.change = change
        self.answer = answer
    }
}

/// What became of one callback of an intake.
package enum IntakeResult: Sendable, Hashable {
    /// New and durable.
    case accepted(IntakeChange)
    /// Seen before: nothing changed; the answer that was given, where one is stored.
    case duplicate(answer: [UInt8]?)
    /// Broke a limit: nothing of it is stored. The others of the batch are not touched by that.
    case refused(RecordsError)
}

/// A person before and after a callback.
package struct IntakeChange: Sendable, Hashable {
    /// `nil`: unknown until now.
    package var before: PersonRecord?
    package var after: PersonRecord
    /// `false`: a subscribe or unsubscribe older than what is known.
    package var counted: Bool
}
