package import BelfryCore
import BelfryPostgresClient

extension PostgresTimeline {
    package func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        guard 1...PushLimits.batchPushes ~= limit else {
            throw TimelineError(.invalid, "limit: 1 to \(PushLimits.batchPushes) are allowed")
        }
        let length = try checked(lease)
        var parameters = moment
        parameters.append(Int32(limit))
        parameters.append(length)
        parameters.append(configuration.owner)
        parameters.append(configuration.ageing.milliseconds)
        parameters.append(nextGeneration())
        parameters.append(Int32(deferral?.from.rawValue ?? 4))
        parameters.append(deferral?.longest.milliseconds ?? 0)
        let look = book.begin()
        let result = try await ask { [parameters] connection throws(PostgresFailure) in
            let rows = try connection.query(
                "SELECT * FROM claim($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                parameters
            )
            return Result { () throws(TimelineError) in try Self.claims(in: rows, length) }
        }
        let (claims, moment) = try result.get()
        book.hear(moment, since: look)
        return ClaimBatch(claims: claims, now: moment.now, nextDue: moment.nextDue)
    }

    /// Now, passed, next, generation, then the push. The last row has no push.
    private static func claims(in rows: PostgresRows, _ lease: Int64) throws(TimelineError)
        -> ([Claim], Moment)
    {
        guard rows.columns == 4 + StoredPush.columns, rows.count > 0 else {
            throw TimelineError(.corrupt, "PostgreSQL gave no answer to a claim")
        }
        let moment = Moment(rows, rows.count - 1, first: 0)
        var claims: [Claim] = []
        claims.reserveCapacity(rows.count - 1)
        for row in 0..<rows.count - 1 {
            let stored = StoredPush(rows: rows, row: row, first: 4)
            let push = try stored.push()
            let generation = UInt64(bitPattern: rows.number(row, 3))
            claims.append(
                Claim(
                    token: ClaimToken(id: push.id, generation: generation),
                    push: push,
                    sequence: stored.sequence,
                    attempt: stored.attempt,
                    asked: stored.asked,
                    accepted: stored.accepted,
                    leaseEnds: moment.now + .milliseconds(lease),
                    collected: stored.collected
                )
            )
        }
        return (claims, moment)
    }

    package func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    {
        let length = try checked(lease)
        guard !tokens.isEmpty else { return [] }
        var parameters = moment
        parameters.append(length)
        parameters.append(tokens.map(\.id.text))
        parameters.append(tokens.map { Int64(bitPattern: $0.generation) })
        let codes = try await ask { [parameters] connection throws(PostgresFailure) in
            Self.codes(
                try connection.query("SELECT * FROM extend($1, $2, $3, $4, $5)", parameters)
            )
        }
        var outcomes: [ExtendOutcome] = []
        for token in tokens {
            // An older token of an id that is held by a newer one has no part in its answer.
            let code = codes["\(token.generation)/\(token.id.text)"]
            outcomes.append(try code.map(Self.known) ?? .stale)
        }
        return outcomes
    }

    /// Rows of a key and an outcome.
    static func codes(_ rows: PostgresRows) -> [String: Int64] {
        var codes: [String: Int64] = [:]
        for row in 0..<rows.count { codes[rows.text(row, 0)] = rows.number(row, 1) }
        return codes
    }

    private func checked(_ lease: Duration) throws(TimelineError) -> Int64 {
        guard lease > .zero, lease <= PushLimits.lease else {
            throw TimelineError(.invalid, "lease: above zero, at most \(PushLimits.lease)")
        }
        return max(1, lease.milliseconds)
    }
}
