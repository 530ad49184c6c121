import GRDB

extension RecordsError {
    /// GRDB's errors in our words. The message keeps SQLite's words and the SQL text, never the values bound to it.
    init(sqlite error: any Error) {
        if let error = error as? RecordsError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.io, "\(error)")
            return
        }
        let message = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        self.init(
            Self.code(error),
            error.sql.map { "\(message), at: \($0.prefix(200))" } ?? message
        )
    }

    private static func code(_ error: DatabaseError) -> Code {
        switch error.resultCode {
        case .SQLITE_FULL: .full
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH: .readOnly
        case .SQLITE_CONSTRAINT: .conflict
        case .SQLITE_TOOBIG, .SQLITE_MISMATCH, .SQLITE_RANGE: .invalid
        // GRDB says MISUSE for a connection that was closed.
        case .SQLITE_MISUSE: .closed
        default: .io
        }
    }
}
