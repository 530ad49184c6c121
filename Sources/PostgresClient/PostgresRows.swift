import CLibPQ

/// What a statement answered: rows in PostgreSQL's binary form. A column is read as the type that the statement gives it.
package final class PostgresRows {
    private let result: OpaquePointer

    init(_ result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    package var count: Int { Int(PQntuples(result)) }
    package var columns: Int { Int(PQnfields(result)) }

    /// How many rows an insert, update or delete has changed.
    package var changed: Int {
        PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// What the server says it has done: `COMMIT`, `ROLLBACK`, `INSERT 0 1`.
    package var command: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    /// The type of a column, as in pg_type.
    package func type(_ column: Int) -> UInt32 { PQftype(result, Int32(column)) }

    package func isNull(_ row: Int, _ column: Int) -> Bool {
        PQgetisnull(result, Int32(row), Int32(column)) == 1
    }

    /// A whole number of any width; 0 for null.
    package func number(_ row: Int, _ column: Int) -> Int64 {
        let bytes = raw(row, column)
        let first: Int64 = (bytes.first ?? 0) >= 128 ? -1 : 0
        return bytes.reduce(first) { $0 << 8 | Int64($1) }
    }

    package func optionalNumber(_ row: Int, _ column: Int) -> Int64? {
        isNull(row, column) ? nil : number(row, column)
    }

    package func text(_ row: Int, _ column: Int) -> String {
        String(decoding: raw(row, column), as: UTF8.self)
    }

    package func bytes(_ row: Int, _ column: Int) -> [UInt8] { Array(raw(row, column)) }

    /// The elements of an array of one dimension without nulls.
    package func blobs(_ row: Int, _ column: Int) -> [[UInt8]] {
        elements(raw(row, column)).map { Array($0) }
    }

    package func numbers(_ row: Int, _ column: Int) -> [Int64] {
        elements(raw(row, column)).map { $0.reduce(0) { $0 << 8 | Int64($1) } }
    }

    /// The reverse of ``PostgresParameters``: dimensions, flags and type, then the size and where indices begin, then each element with its length.
    private func elements(_ bytes: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer.SubSequence] {
        guard bytes.count > 20 else { return [] }
        func length(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        var place = 20
        return (0..<length(12)).map { _ in
            let start = place + 4
            place = start + length(place)
            return bytes[start..<place]
        }
    }

    private func raw(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: PQgetvalue(result, Int32(row), Int32(column)),
            count: Int(PQgetlength(result, Int32(row), Int32(column)))
        )
    }
}
