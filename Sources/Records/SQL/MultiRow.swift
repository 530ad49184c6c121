/// Writes many rows with few statements.
///
/// A database prepares a statement once per text, so the number of rows in one statement is not arbitrary: chunks of 32, of 8, then
/// single rows. The three texts stay prepared.
struct MultiRow: Sendable {
    private let columns: Int
    private static let sizes = [32, 8, 1]
    private let texts: [String]

    init(_ head: String, columns: Int, _ tail: String = "") {
        let row = "(" + Array(repeating: "?", count: columns).joined(separator: ", ") + ")"
        self.init(head, row, columns: columns, between: ", ", tail)
    }

    /// One statement about the rows that have these values.
    ///
    /// - Parameter head: `DELETE FROM t WHERE`
    init(_ head: String, equal columns: [String]) {
        let row = "(" + columns.map { "\($0) = ?" }.joined(separator: " AND ") + ")"
        self.init(head, row, columns: columns.count, between: " OR ", "")
    }

    private init(
        _ head: String,
        _ row: String,
        columns: Int,
        between: String,
        _ tail: String
    ) {
        self.columns = columns
        texts = Self.sizes.map { size in
            let rows = Array(repeating: row, count: size).joined(separator: between)
            return "\(head) \(rows) \(tail)"
        }
    }

    /// - Parameter values: the columns of all rows, one after another.
    func run(_ session: any SQLSession, _ values: [SQLValue]) throws(RecordsError) {
        try chunks(values) { sql, part throws(RecordsError) in try session.run(sql, part) }
    }

    /// As ``run(_:_:)``, with what `RETURNING` gave.
    func rows(_ session: any SQLSession, _ values: [SQLValue]) throws(RecordsError) -> [SQLRow] {
        var rows: [SQLRow] = []
        try chunks(values) { sql, part throws(RecordsError) in
            rows += try session.rows(sql, part)
        }
        return rows
    }

    private func chunks(
        _ values: [SQLValue],
        _ body: (String, [SQLValue]) throws(RecordsError) -> Void
    ) throws(RecordsError) {
        precondition(values.count % columns == 0)
        var start = 0
        for (size, text) in zip(Self.sizes, texts) {
            while values.count - start >= columns * size {
                let end = start + columns * size
                try body(text, Array(values[start..<end]))
                start = end
            }
        }
    }
}

/// Looks many keys up with few statements: `… IN (?, ?, …)` in chunks of fixed sizes, the rest padded with its last key.
struct ManyKeys: Sendable {
    private static let sizes = [1, 8, 64]
    private let texts: [String]

    /// - Parameters:
    ///   - head: everything up to `IN`.
    init(_ head: String) {
        texts = Self.sizes.map { size in
            "\(head) IN (" + Array(repeating: "?", count: size).joined(separator: ", ") + ")"
        }
    }

    /// - Parameters:
    ///   - first: what is bound before the keys.
    func rows(_ session: any SQLSession, _ first: [SQLValue], _ keys: [SQLValue])
        throws(RecordsError) -> [SQLRow]
    {
        var rows: [SQLRow] = []
        var rest = keys[...]
        while let last = rest.last {
            let index = Self.sizes.firstIndex { rest.count <= $0 } ?? Self.sizes.count - 1
            var chunk = Array(rest.prefix(Self.sizes[index]))
            rest = rest.dropFirst(chunk.count)
            while chunk.count < Self.sizes[index] { chunk.append(last) }
            rows += try session.rows(texts[index], first + chunk)
        }
        return rows
    }
}

/// Looks many rows up by keys of two columns: a join with the list of the keys, so that each is one step into an index.
///
/// With `a = ? AND b IN (…)` PostgreSQL read every row of `a` for each few of `b` as long as it had not analyzed the table.
struct ManyPairs: Sendable {
    private static let sizes = [1, 8, 64]
    private let texts: [String]

    /// - Parameters:
    ///   - columns: what is read.
    ///   - table: known as `t` to `condition`.
    ///   - key: the two columns that an index leads with.
    ///   - condition: what else holds of a row that is wanted, such as `t.state = 'open'`.
    init(
        _ columns: [String],
        of table: String,
        by key: (String, String),
        where condition: String? = nil
    ) {
        let read = columns.map { "t.\($0)" }.joined(separator: ", ")
        let filter = condition.map { " WHERE \($0)" } ?? ""
        texts = Self.sizes.map { size in
            let keys = Array(repeating: "(?, ?)", count: size).joined(separator: ", ")
            return """
                SELECT \(read) FROM (VALUES \(keys)) AS wanted
                JOIN \(table) AS t ON t.\(key.0) = wanted.column1 AND t.\(key.1) = wanted.column2\(filter)
                """
        }
    }

    /// - Parameter keys: no two alike.
    func rows(_ session: any SQLSession, _ keys: [(String, String)]) throws(RecordsError)
        -> [SQLRow]
    {
        var rows: [SQLRow] = []
        var rest = keys[...]
        while !rest.isEmpty {
            let index = Self.sizes.firstIndex { rest.count <= $0 } ?? Self.sizes.count - 1
            var values = rest.prefix(Self.sizes[index]).flatMap {
                [SQLValue.text($0.0), .text($0.1)]
            }
            rest = rest.dropFirst(Self.sizes[index])
            // What is no key finds no row.
            while values.count < 2 * Self.sizes[index] { values.append(.null) }
            rows += try session.rows(texts[index], values)
        }
        return rows
    }
}
