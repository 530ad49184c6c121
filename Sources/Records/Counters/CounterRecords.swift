package import BelfryCore

extension Records {
    package var counters: CounterRecords { CounterRecords(records: self) }
}

/// How finely counters are kept.
package enum CounterSpan: Int, Sendable, Hashable, CaseIterable {
    /// Kept for the last day.
    case minute = 60_000
    case hour = 3_600_000

    /// The start of the bucket that `time` lies in.
    package func start(of time: Timestamp) -> Timestamp {
        let length = Int64(rawValue)
        let rest = time.milliseconds % length
        return Timestamp(milliseconds: time.milliseconds - (rest < 0 ? rest + length : rest))
    }
}

/// What was counted in one bucket.
package struct CounterBucket: Sendable, Hashable {
    package var start: Timestamp
    /// By the words of ``DeliveryState``.
    package var values: [String: Int]

    package init(start: Timestamp, values: [String: Int] = [:]) {
        self.start = start
        self.values = values
    }

    package subscript(state: DeliveryState) -> Int { values[state.description] ?? 0 }

    /// Pushes that came to be.
    package var planned: Int { self[.waiting(.scheduled)] }
    package var sent: Int { self[.ended(.sent)] }
    /// Pushes that somebody wanted sent and that were not, for a reason that may want looking at.
    package var failures: Int {
        let failed: [Outcome] = [
            .window45015, .count45047, .refused43101, .quotaDay, .dead, .unknown,
        ]
        return failed.reduce(0) { $0 + self[.ended($1)] }
    }
    /// All lateness of `sent` together; divided by it, the mean.
    package var latenessMilliseconds: Int { values[CounterChanges.lateness] ?? 0 }
}

/// Counts of what became of pushes, kept as they are written, so that a chart reads a few rows and never the history.
package struct CounterRecords: Sendable {
    let records: Records

    /// The buckets of `from..<to` that anything was counted in, oldest first. At most 1,500 buckets' length.
    ///
    /// - Parameter account: `nil`: all accounts together.
    package func stats(
        account: String? = nil,
        from: Timestamp,
        to: Timestamp,
        bucket span: CounterSpan
    ) async throws(RecordsError) -> [CounterBucket] {
        guard (to - from).milliseconds / Int64(span.rawValue) <= 1500 else {
            throw RecordsError(.invalid, "from, to: more than 1500 buckets")
        }
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                """
                SELECT start, name, value FROM counters
                WHERE account = ? AND span = ? AND start >= ? AND start < ? ORDER BY start
                """,
                [
                    .text(account ?? ""), .integer(span.rawValue), .time(span.start(of: from)),
                    .time(to),
                ]
            )
        }
        var buckets: [CounterBucket] = []
        for row in rows {
            if buckets.last?.start != row.time(0) {
                buckets.append(CounterBucket(start: row.time(0)))
            }
            buckets[buckets.count - 1].values[row.text(1)] = row.integer(2)
        }
        return buckets
    }

    /// All of `from..<to` as one bucket.
    package func total(
        account: String? = nil,
        from: Timestamp,
        to: Timestamp,
        bucket span: CounterSpan
    ) async throws(RecordsError) -> CounterBucket {
        let parts = try await stats(account: account, from: from, to: to, bucket: span)
        return parts.reduce(into: CounterBucket(start: from)) { total, part in
            total.values.merge(part.values) { $0 + $1 }
        }
    }
}

/// Counts to add, gathered for a batch, so that a batch of thousands changes a handful of rows.
struct CounterChanges {
    static let lateness = "lateness_ms"

    private struct Key: Hashable {
        var account: String
        var span: Int
        var start: Int64
        var name: String
    }

    private static let upsert = MultiRow(
        "INSERT INTO counters (account, span, start, name, value) VALUES",
        columns: 5,
        """
        ON CONFLICT (account, span, start, name)
            DO UPDATE SET value = counters.value + excluded.value
        """
    )

    private var values: [Key: Int] = [:]

    /// For the account, and for all accounts together (which have the empty key).
    ///
    /// - Parameter times: -1 takes back what was counted.
    mutating func add(
        account: String,
        state: String,
        at: Timestamp,
        lateness: Int?,
        times: Int = 1
    ) {
        for account in [account, ""] {
            for span in CounterSpan.allCases {
                var key = Key(
                    account: account,
                    span: span.rawValue,
                    start: span.start(of: at).milliseconds,
                    name: state
                )
                values[key, default: 0] += times
                guard let lateness, state == Outcome.sent.rawValue else { continue }
                key.name = Self.lateness
                values[key, default: 0] += lateness * times
            }
        }
    }

    func save(_ session: any SQLSession) throws(RecordsError) {
        var bound: [SQLValue] = []
        for (key, value) in values {
            bound += [
                .text(key.account), .integer(key.span), .integer(key.start), .text(key.name),
                .integer(value),
            ]
        }
        try Self.upsert.run(session, bound)
    }
}
