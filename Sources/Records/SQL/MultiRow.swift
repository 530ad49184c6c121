/// Writes many rows with few statements.
///
/// A database prepares a statement once per text, so the number of rows in one statement is not arbitrary: chunks of 32, of 8, then
/// single rows. The three texts stay prepared.
struct MultiRow: Sendable {
    /// `INSERT INTO t (a, b) VALUES`
    let head: String
    let columns: Int
    /// `ON CONFLICT …`, `RETURNING …`
    let tail: String

    private static let sizes = [32, 8, 1]
    private let texts: [String]

    init(_ head: String, columns: Int, _ tail: String = "") {
        self.head = head
        self.columns = columns
        self.tail = tail
        let row = "(" + Array(repeating: "?", count: columns).joined(separator: ", ") + ")"
        texts = Self.sizes.map { size in
            let rows = Array(repeating: row, count: size).joined(separator: ", ")
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
