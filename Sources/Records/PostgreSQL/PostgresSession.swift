import BelfryPostgresClient
import Synchronization

/// A connection of libpq, behind the portable words.
struct PostgresSession: TransactionSession {
    let connection: PostgresConnection
    /// Whose writers wait for each other.
    let schema: String

    /// As in SQLite there is one writer at a time, in whatever process: what it has read nobody changes before it writes.
    func begin() throws(RecordsError) {
        try run("BEGIN", [])
        _ = try rows(
            "SELECT 1 FROM pg_advisory_xact_lock(hashtextextended(?, 7093169))",
            [.text(schema)]
        )
    }

    /// A transaction in which a statement has failed ends by a COMMIT, too, but undone; the answer tells.
    func commit() throws(RecordsError) {
        guard try answer("COMMIT", []).command == "COMMIT" else {
            throw RecordsError(.io, "PostgreSQL: the transaction was undone")
        }
    }

    func rollBack() {
        guard isInTransaction else { return }
        // A connection that cannot roll back is broken, and is not used again.
        _ = try? run("ROLLBACK", [])
    }

    var isInTransaction: Bool { !connection.isLost && connection.isInTransaction }

    @discardableResult
    func run(_ sql: String, _ parameters: [SQLValue]) throws(RecordsError) -> Int {
        try answer(sql, parameters).changed
    }

    func rows(_ sql: String, _ parameters: [SQLValue]) throws(RecordsError) -> [SQLRow] {
        let answer = try answer(sql, parameters)
        let types = (0..<answer.columns).map { answer.type($0) }
        return (0..<answer.count).map { row in
            SQLRow(types.indices.map { answer.value(row, $0, types[$0]) })
        }
    }

    private func answer(_ sql: String, _ parameters: [SQLValue]) throws(RecordsError)
        -> PostgresRows
    {
        var bound = PostgresParameters()
        for parameter in parameters {
            switch parameter {
            case .null: bound.append(null: ())
            // Written out: the statement says which width it takes.
            case .integer(let value): bound.append(written: String(value))
            case .text(let value): bound.append(value)
            case .blob(let value): bound.append(value)
            }
        }
        do throws(PostgresFailure) {
            return try connection.query(PostgresPlaces.numbered(sql), bound)
        } catch { throw RecordsError(postgres: error) }
    }
}

/// `?` of the portable SQL as `$1`, `$2` … Texts are few, and each is translated once.
private enum PostgresPlaces {
    private static let known = Mutex<[String: String]>([:])

    static func numbered(_ sql: String) -> String {
        if let text = known.withLock({ $0[sql] }) { return text }
        let text = translated(sql)
        known.withLock { known in
            // Should texts ever be many after all, memory stays bounded.
            if known.count >= 4096 { known = [:] }
            known[sql] = text
        }
        return text
    }

    private static func translated(_ sql: String) -> String {
        var text = ""
        var number = 0
        var isQuoted = false
        for character in sql {
            if character == "'" { isQuoted.toggle() }
            if character == "?", !isQuoted {
                number += 1
                text += "$\(number)"
            } else {
                text.append(character)
            }
        }
        return text
    }
}

extension PostgresRows {
    /// - Parameter type: of the column, as in pg_type: 16 boolean, 17 bytea, 20, 21 and 23 whole numbers.
    fileprivate func value(_ row: Int, _ column: Int, _ type: UInt32) -> SQLValue {
        if isNull(row, column) { return .null }
        switch type {
        case 16, 20, 21, 23: return .integer(number(row, column))
        case 17: return .blob(bytes(row, column))
        default: return .text(text(row, column))
        }
    }
}

extension RecordsError {
    /// PostgreSQL's errors in our words. The message keeps the server's words, never the values bound to a statement.
    init(postgres failure: PostgresFailure) {
        self.init(Self.code(failure), "PostgreSQL: \(failure.message)")
    }

    private static func code(_ failure: PostgresFailure) -> Code {
        switch failure.code {
        case .closed: return .closed
        case .invalid: return .invalid
        case .notConnected, .noAnswer: return .io
        // A standby or a read-only transaction; no privilege.
        case .refused("25006"), .refused("42501"): return .readOnly
        case .refused("XX001"), .refused("XX002"): return .corrupt
        case .refused:
            switch failure.stateClass {
            case "22": return .invalid
            case "23": return .conflict
            case "53": return .full
            default: return .io
            }
        }
    }
}
