import BelfryBench
import CLibPQ

/// One connection. Its calls block.
final class PostgreSQLConnection {
    private let connection: OpaquePointer

    /// - Throws: ``LoadFailure`` where no server answers, or it refuses.
    init(port: Int) throws {
        let address = "host=127.0.0.1 port=\(port) user=bench dbname=postgres"
        guard let connection = PQconnectdb(address) else { throw LoadFailure("no memory") }
        self.connection = connection
        guard PQstatus(connection) == CONNECTION_OK else { throw failure }
    }

    deinit { PQfinish(connection) }

    func run(_ statements: String) throws {
        try check(PQexec(connection, statements), PGRES_COMMAND_OK) { _ in }
    }

    /// Runs a statement whose parameters are arrays in PostgreSQL's binary form; a transaction of its own.
    func run(_ statement: String, arrays: [[UInt8]]) throws {
        let copies = arrays.map { array in
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: array.count)
            _ = copy.initialize(from: array.lazy.map(CChar.init(bitPattern:)))
            return copy
        }
        defer { for copy in copies { copy.deallocate() } }
        let values = copies.map { UnsafePointer($0.baseAddress) }
        let lengths = arrays.map { Int32($0.count) }
        let formats = arrays.map { _ in Int32(1) }
        let result = PQexecParams(
            connection,
            statement,
            Int32(arrays.count),
            nil,
            values,
            lengths,
            formats,
            0
        )
        try check(result, PGRES_COMMAND_OK) { _ in }
    }

    /// The one number that a query answers with.
    func number(_ query: String) throws -> Int {
        try check(PQexec(connection, query), PGRES_TUPLES_OK) { result in
            guard let text = PQgetvalue(result, 0, 0), let number = Int(String(cString: text))
            else { throw LoadFailure("PostgreSQL answered no number") }
            return number
        }
    }

    private func check<Value>(
        _ result: OpaquePointer?,
        _ expected: ExecStatusType,
        _ read: (OpaquePointer?) throws -> Value
    ) throws -> Value {
        defer { PQclear(result) }
        guard PQresultStatus(result) == expected else { throw failure }
        return try read(result)
    }

    private var failure: LoadFailure {
        LoadFailure("PostgreSQL: \(String(cString: PQerrorMessage(connection)))")
    }
}
