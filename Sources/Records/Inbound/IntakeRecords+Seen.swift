package import BelfryCore

extension IntakeRecords {
    /// Which callbacks were accepted before.
    ///
    /// Asked before anything is scheduled, so that a late repetition does not begin a flow anew: schedule first, then record.
    ///
    /// - Parameter callbacks: at most 10,000 keys with their CreateTime.
    /// - Returns: one answer for each, in order.
    package func seen(_ callbacks: [(key: String, at: Timestamp)]) async throws(RecordsError)
        -> [Bool]
    {
        try check(batch: callbacks.count)
        let asked = callbacks.map { Mark(at: $0.at, key: $0.key) }
        let found = try await records.database.read { session throws(RecordsError) in
            var found: Set<Mark> = []
            var rest = asked[...]
            while let last = rest.last {
                let size = Self.sizes.first { rest.count <= $0 } ?? 64
                var part = Array(rest.prefix(size))
                rest = rest.dropFirst(size)
                while part.count < size { part.append(last) }
                let values = part.flatMap { [SQLValue.time($0.at), .text($0.key)] }
                for row in try session.rows(Self.statement(size), values) {
                    found.insert(Mark(at: row.time(0), key: row.text(1)))
                }
            }
            return found
        }
        return asked.map(found.contains)
    }

    /// Few shapes of statement, so that each is prepared once.
    private static let sizes = [1, 8, 64]

    private static func statement(_ size: Int) -> String {
        let pairs = Array(repeating: "(CAST(? AS BIGINT), ?)", count: size).joined(separator: ", ")
        return """
            WITH asked (at, dedupe_key) AS (VALUES \(pairs))
            SELECT i.at, i.dedupe_key FROM asked
            CROSS JOIN inbound i WHERE i.at = asked.at AND i.dedupe_key = asked.dedupe_key
            """
    }

    private struct Mark: Hashable {
        var at: Timestamp
        var key: String
    }
}
