package import BelfryCore

/// Where a push was at some moment: waiting, or ended.
package enum DeliveryState: Sendable, Hashable, CustomStringConvertible {
    case waiting(WaitingState)
    case ended(Outcome)

    package var description: String {
        switch self {
        case .waiting(let state): state.rawValue
        case .ended(let outcome): outcome.rawValue
        }
    }

    /// - Parameter word: as ``description`` gives it.
    package init?(_ word: String) {
        if let state = WaitingState(rawValue: word) {
            self = .waiting(state)
        } else if let outcome = Outcome(rawValue: word) {
            self = .ended(outcome)
        } else {
            return nil
        }
    }
}

/// One line in the history of a push: what happened to it, when, and why.
package struct DeliveryRecord: Sendable, Hashable {
    /// Given by the records, rising; 0 before.
    package var id: Int64 = 0
    package var push: PushID
    package var sequence: UInt64
    package var attempt: Int
    package var recipient: Recipient
    package var flow: String?
    package var step: String?
    package var channel: String
    /// When its turn came: moved by holds and retries.
    package var due: Timestamp
    /// When it was to go out.
    package var asked: Timestamp
    package var at: Timestamp
    package var state: DeliveryState
    /// Why; empty texts where nothing need be said.
    package var cause: SendCause
    /// The last hold or retry that put it off; `nil` where none did, and while it waits.
    package var heldFor: WaitingState?
    /// How long after `asked` it was handed over, in milliseconds; for `sent`.
    package var latenessMilliseconds: Int?
    /// The other side's id of the message.
    package var reference: String?

    package init(
        push: PushID,
        sequence: UInt64,
        attempt: Int = 0,
        recipient: Recipient,
        flow: String? = nil,
        step: String? = nil,
        channel: String,
        due: Timestamp,
        asked: Timestamp? = nil,
        at: Timestamp,
        state: DeliveryState,
        cause: SendCause = SendCause(code: "", message: ""),
        latenessMilliseconds: Int? = nil,
        reference: String? = nil
    ) {
        self.push = push
        self.sequence = sequence
        self.attempt = attempt
        self.recipient = recipient
        self.flow = flow
        self.step = step
        self.channel = channel
        self.due = due
        self.asked = asked ?? due
        self.at = at
        self.state = state
        self.cause = cause
        self.latenessMilliseconds = latenessMilliseconds
        self.reference = reference
    }
}

extension DeliveryRecord {
    static let columns = [
        "push", "sequence", "attempt", "state", "account", "person", "flow", "step", "channel",
        "due", "at", "code", "message", "remedy", "lateness", "reference",
        "asked", "held_for",
    ]
    static let select = "SELECT id, " + columns.joined(separator: ", ") + " FROM deliveries"

    var values: [SQLValue] {
        [
            .text(push.text), .bits(sequence), .integer(attempt), .text(state.description),
            .text(recipient.account), .text(recipient.person), .text(flow), .text(step),
            .text(channel), .time(due), .time(at), .text(cause.code), .text(cause.message),
            .text(cause.remedy), .integer(latenessMilliseconds), .text(reference),
            .time(asked), .text(heldFor?.rawValue),
        ]
    }

    init(_ row: SQLRow) throws(RecordsError) {
        guard let state = DeliveryState(row.text(4)) else {
            throw RecordsError(.corrupt, "state: the stored word \(row.text(4)) is not known")
        }
        self.init(
            push: PushID(row.text(1)),
            sequence: row.bits(2),
            attempt: row.integer(3),
            recipient: Recipient(account: row.text(5), person: row.text(6)),
            flow: row.optionalText(7),
            step: row.optionalText(8),
            channel: row.text(9),
            due: row.time(10),
            asked: row.optionalTime(17),
            at: row.time(11),
            state: state,
            cause: SendCause(code: row.text(12), message: row.text(13), remedy: row.text(14)),
            latenessMilliseconds: row.optionalInteger(15),
            reference: row.optionalText(16)
        )
        id = Int64(row.integer(0))
        heldFor = row.optionalText(18).flatMap { WaitingState(rawValue: $0) }
    }

    func validate() throws(RecordsError) {
        try check(push.text, "push", 1...PushLimits.idBytes)
        try check(recipient)
        try check(flow, "flow", 1...TextLimits.name)
        try check(channel, "channel", 1...PushLimits.channelBytes)
        try check(reference, "reference", 0...TextLimits.sentence)
    }

    /// Answers of other servers end up in causes: too long is cut rather than refused, so that the outcome itself is not lost.
    mutating func shorten() {
        cause.code = cause.code.cut(to: TextLimits.name)
        cause.message = cause.message.cut(to: TextLimits.sentence)
        cause.remedy = cause.remedy.cut(to: TextLimits.sentence)
        reference = reference?.cut(to: TextLimits.sentence)
    }
}

extension String {
    /// At most so many bytes of UTF-8, whole characters, without U+0000.
    func cut(to bytes: Int) -> String {
        if utf8.count <= bytes, !utf8.contains(0) { return self }
        var result = ""
        var count = 0
        for scalar in unicodeScalars where scalar != "\0" {
            count += UTF8.width(scalar)
            guard count <= bytes else { break }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
