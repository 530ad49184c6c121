package import BelfryCore

/// A push that was given up: all of it, so that it can be sent again, and why.
package struct DeadLetterRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// Waits for somebody to decide.
        case open
        /// Scheduled again.
        case retried
        case discarded
    }

    /// Given by the records, rising; 0 before.
    package var id: Int64 = 0
    package var push: Push
    package var sequence: UInt64
    package var attempts: Int
    package var at: Timestamp
    package var cause: SendCause
    package var state: State = .open
    /// When it was retried or discarded.
    package var ended: Timestamp?

    package init(push: Push, sequence: UInt64, attempts: Int, at: Timestamp, cause: SendCause) {
        self.push = push
        self.sequence = sequence
        self.attempts = attempts
        self.at = at
        self.cause = cause
    }
}

/// The open dead letters that share a cause.
package struct DeadLetterGroup: Sendable, Hashable {
    /// ``BelfryCore/SendCause/code``.
    package var code: String
    package var count: Int
    package var oldest: Timestamp
    package var newest: Timestamp
    /// Message and remedy of the newest.
    package var cause: SendCause
}

extension DeadLetterRecord {
    static let columns =
        "push, sequence, account, person, packed, attempts, at, code, message, remedy, state, ended"
    static let select = "SELECT id, \(columns) FROM dead_letters"

    /// - Throws: `invalid` where the push breaks its limits.
    func values() throws(RecordsError) -> [SQLValue] {
        let packed: PushBatch
        do { packed = try PushBatch([push]) } catch {
            throw RecordsError(.invalid, error.description)
        }
        return [
            .text(push.id.text), .bits(sequence), .text(push.recipient.account),
            .text(push.recipient.person), .blob(packed.bytes), .integer(attempts), .time(at),
            .text(cause.code.cut(to: TextLimits.name)),
            .text(cause.message.cut(to: TextLimits.sentence)),
            .text(cause.remedy.cut(to: TextLimits.sentence)), .text(state.rawValue), .time(ended),
        ]
    }

    init(_ row: SQLRow) throws(RecordsError) {
        let packed = row.blob(5)
        guard let record = PushRecord(packed.span, at: 0), record.length == packed.count else {
            throw RecordsError(.corrupt, "dead letter \(row.integer(0)): its push is damaged")
        }
        self.init(
            push: record.push(in: packed.span),
            sequence: row.bits(2),
            attempts: row.integer(6),
            at: row.time(7),
            cause: SendCause(code: row.text(8), message: row.text(9), remedy: row.text(10))
        )
        id = Int64(row.integer(0))
        state = try value(row.text(11), "state")
        ended = row.optionalTime(12)
    }
}
