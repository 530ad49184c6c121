package import BelfryCore
import BelfryPostgresClient

extension PostgresTimeline {
    package func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        guard !ids.isEmpty else { return [] }
        var parameters = moment
        parameters.append(Self.texts(of: ids))
        let result = try await ask(isRead: true) {
            [parameters] connection throws(PostgresFailure) in
            let rows = try connection.query("SELECT * FROM find($1, $2, $3)", parameters)
            return Result { () throws(TimelineError) in try Self.pending(in: rows) }
        }
        let found = try result.get()
        return ids.map { found[$0.text] }
    }

    /// Each id once. No text of PostgreSQL may hold a NUL, and no push has an id that does.
    static func texts(of ids: [PushID]) -> [String] {
        Set(ids.map(\.text)).filter { !$0.utf8.contains(0) }
    }

    /// State, then the push.
    private static func pending(in rows: PostgresRows) throws(TimelineError) -> [String: Pending] {
        var found: [String: Pending] = [:]
        for row in 0..<rows.count {
            let stored = StoredPush(rows: rows, row: row, first: 1)
            let pending = try stored.pending(try state(rows.number(row, 0)))
            found[pending.push.id.text] = pending
        }
        return found
    }

    private static func state(_ code: Int64) throws(TimelineError) -> Pending.State {
        switch code {
        case 0: .scheduled
        case 1: .inFlight
        case 2: .cancelling
        case 3: .parked
        default: throw TimelineError(.corrupt, "PostgreSQL gave the state \(code)")
        }
    }

    package func nextDue() async throws(TimelineError) -> Timestamp? {
        let parameters = moment
        let look = book.begin()
        let moment = try await ask(isRead: true) { connection throws(PostgresFailure) in
            Moment(try connection.query("SELECT * FROM look($1, $2)", parameters), 0, first: 0)
        }
        book.hear(moment, since: look)
        return moment.nextDue
    }

    package func counts() async throws(TimelineError) -> TimelineCounts {
        let parameters = moment
        return try await ask(isRead: true) { connection throws(PostgresFailure) in
            let rows = try connection.query("SELECT * FROM counts($1, $2)", parameters)
            var counts = TimelineCounts()
            for row in 0..<rows.count {
                let (pending, flying) = (Int(rows.number(row, 1)), Int(rows.number(row, 2)))
                counts.scheduled += pending - flying
                counts.inFlight += flying
                counts.byAccount[rows.text(row, 0)] = pending
            }
            return counts
        }
    }

    package func forecast(from: Timestamp, to: Timestamp, bucket: Duration)
        async throws(TimelineError) -> [Int]
    {
        let width = bucket.milliseconds
        guard width > 0 else { throw TimelineError(.invalid, "bucket: must be above zero") }
        let (span, overflow) = to.milliseconds.subtractingReportingOverflow(from.milliseconds)
        let count = overflow || span <= 0 ? 0 : (span - 1) / width + 1
        guard !overflow, count <= 10_000 else {
            throw TimelineError(.invalid, "from, to, bucket: more than 10000 buckets")
        }
        var parameters = PostgresParameters()
        parameters.append(from.milliseconds)
        parameters.append(to.milliseconds)
        parameters.append(width)
        return try await ask(isRead: true) { [parameters] connection throws(PostgresFailure) in
            let rows = try connection.query("SELECT * FROM forecast($1, $2, $3)", parameters)
            var totals = [Int](repeating: 0, count: Int(count))
            for row in 0..<rows.count {
                totals[Int(rows.number(row, 0))] = Int(rows.number(row, 1))
            }
            return totals
        }
    }
}
