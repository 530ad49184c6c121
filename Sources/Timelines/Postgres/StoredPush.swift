import BelfryCore
import BelfryPostgresClient

/// Pushes as the functions in the database take them: one array a column.
struct PushColumns: Sendable {
    private var ids: [String] = []
    private var accounts: [String] = []
    private var persons: [String] = []
    private var dues: [Int64] = []
    private var expires: [Int64] = []
    private var bands: [Int16] = []
    private var channels: [String] = []
    private var modes: [Int16] = []
    private var keys: [String] = []
    private var graces: [Int64] = []
    private var waits: [Int64] = []
    private var payloads: [[UInt8]] = []

    init() {}

    mutating func append(_ batch: PushBatch) {
        let span = batch.bytes.span
        var offset = 0
        while offset < span.count, let record = PushRecord(span, at: offset) {
            append(record.push(in: span))
            offset += record.length
        }
    }

    private mutating func append(_ push: Push) {
        ids.append(push.id.text)
        accounts.append(push.recipient.account)
        persons.append(push.recipient.person)
        dues.append(push.due.milliseconds)
        expires.append(push.expires?.milliseconds ?? .max)
        bands.append(Int16(push.priority.rawValue))
        channels.append(push.channel)
        modes.append(Int16(push.merge?.mode.rawValue ?? 0))
        keys.append(push.merge?.key ?? "")
        graces.append(push.merge?.grace.milliseconds ?? 0)
        waits.append(push.merge?.maxWait.milliseconds ?? 0)
        payloads.append(push.payload)
    }

    func add(to parameters: inout PostgresParameters) {
        parameters.append(ids)
        parameters.append(accounts)
        parameters.append(persons)
        parameters.append(dues)
        parameters.append(expires)
        parameters.append(bands)
        parameters.append(channels)
        parameters.append(modes)
        parameters.append(keys)
        parameters.append(graces)
        parameters.append(waits)
        parameters.append(payloads)
    }
}

/// A push as the functions give it back: these columns, in this order, in a row from `first` on.
struct StoredPush {
    /// id, seq, account, person, due, asked, accepted, expires, band, attempt, channel, mode, key, grace, wait, payload, collected.
    static let columns = 17

    let rows: PostgresRows
    let row: Int
    let first: Int

    var sequence: UInt64 { UInt64(bitPattern: number(1)) }
    var asked: Timestamp { Timestamp(milliseconds: number(5)) }
    var accepted: Timestamp { Timestamp(milliseconds: number(6)) }
    var attempt: Int { Int(number(9)) }
    var collected: [[UInt8]] { rows.blobs(row, first + 16) }

    func push() throws(TimelineError) -> Push {
        guard let priority = Priority(rawValue: UInt8(truncatingIfNeeded: number(8))) else {
            throw TimelineError(.corrupt, "PostgreSQL: push \(text(0)) has the band \(number(8))")
        }
        return Push(
            id: PushID(text(0)),
            recipient: Recipient(account: text(2), person: text(3)),
            due: Timestamp(milliseconds: number(4)),
            expires: number(7) == .max ? nil : Timestamp(milliseconds: number(7)),
            priority: priority,
            channel: text(10),
            merge: merge,
            payload: rows.bytes(row, first + 15)
        )
    }

    func pending(_ state: Pending.State) throws(TimelineError) -> Pending {
        Pending(
            push: try push(),
            state: state,
            sequence: sequence,
            attempt: attempt,
            asked: asked,
            accepted: accepted,
            collected: collected
        )
    }

    private var merge: MergeRule? {
        MergeRule.Mode(rawValue: UInt8(truncatingIfNeeded: number(11))).map {
            MergeRule(
                key: text(12),
                grace: .milliseconds(number(13)),
                maxWait: .milliseconds(number(14)),
                mode: $0
            )
        }
    }

    private func number(_ column: Int) -> Int64 { rows.number(row, first + column) }
    private func text(_ column: Int) -> String { rows.text(row, first + column) }
}
