import Foundation
import GRDB

/// One connection of GRDB, behind the portable words. Statements stay prepared between calls.
struct SQLiteSession: TransactionSession {
    let database: Database

    func begin() throws(RecordsError) { try run("BEGIN IMMEDIATE", []) }
    func commit() throws(RecordsError) { try run("COMMIT", []) }
    var isInTransaction: Bool { database.isInsideTransaction }

    func rollBack() {
        guard isInTransaction else { return }
        // SQLite cannot refuse a rollback of an open transaction except by having done it already.
        try? database.execute(sql: "ROLLBACK")
    }

    @discardableResult
    func run(_ sql: String, _ parameters: [SQLValue]) throws(RecordsError) -> Int {
        do {
            let statement = try database.cachedStatement(sql: sql)
            try statement.execute(arguments: arguments(parameters))
            return database.changesCount
        } catch { throw RecordsError(sqlite: error) }
    }

    func rows(_ sql: String, _ parameters: [SQLValue]) throws(RecordsError) -> [SQLRow] {
        do {
            let statement = try database.cachedStatement(sql: sql)
            var rows: [SQLRow] = []
            let cursor = try Row.fetchCursor(statement, arguments: arguments(parameters))
            while let row = try cursor.next() {
                rows.append(SQLRow(row.databaseValues.map(SQLValue.init(sqlite:))))
            }
            return rows
        } catch { throw RecordsError(sqlite: error) }
    }

    private func arguments(_ parameters: [SQLValue]) -> StatementArguments {
        // As existentials: for a concrete type GRDB goes through a key path, which costs several times as much a value.
        StatementArguments(parameters.lazy.map { $0.sqlite as (any DatabaseValueConvertible)? })
    }
}

extension SQLValue {
    fileprivate var sqlite: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let value): value.databaseValue
        case .text(let value): value.databaseValue
        case .blob(let value): Data(value).databaseValue
        }
    }

    fileprivate init(sqlite value: DatabaseValue) {
        switch value.storage {
        case .null: self = .null
        case .int64(let value): self = .integer(value)
        case .double(let value): self = .integer(Int64(exactly: value.rounded()) ?? 0)
        case .string(let value): self = .text(value)
        case .blob(let value): self = .blob(Array(value))
        }
    }
}
