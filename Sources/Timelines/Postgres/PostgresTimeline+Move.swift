package import BelfryCore
import BelfryPostgresClient

/// Pushes read in pages, taken out, and put in as they were elsewhere.
extension PostgresTimeline: MovableTimeline {
    /// By id; the mark is the last one.
    package func page(after mark: PageMark?, limit: Int) async throws(TimelineError) -> PendingPage
    {
        var parameters = moment
        parameters.append(mark?.text ?? "")
        parameters.append(Int32(clamping: limit))
        let result = try await ask(isRead: true) {
            [parameters] connection throws(PostgresFailure) in
            let rows = try connection.query("SELECT * FROM page($1, $2, $3, $4)", parameters)
            return Result { () throws(TimelineError) in try Self.listed(in: rows) }
        }
        let pushes = try result.get()
        let last = pushes.count < limit ? nil : pushes.last
        return PendingPage(pushes: pushes, next: last.map { PageMark($0.push.id.text) })
    }

    /// The push, then the first and the last due time of its group and whether that is open.
    private static func listed(in rows: PostgresRows) throws(TimelineError) -> [Pending] {
        var pushes: [Pending] = []
        for row in 0..<rows.count {
            let stored = StoredPush(rows: rows, row: row, first: 0)
            var pending = try stored.pending(.scheduled)
            if let first = rows.time(row, StoredPush.columns),
                let last = rows.time(row, StoredPush.columns + 1)
            {
                let isOpen = rows.number(row, StoredPush.columns + 2) == 1
                pending.group = Pending.Group(first: first, last: last, isOpen: isOpen)
            }
            pushes.append(pending)
        }
        return pushes
    }

    package func withdraw(_ pushes: [Pending]) async throws(TimelineError) -> [Bool] {
        guard !pushes.isEmpty else { return [] }
        var parameters = PostgresParameters()
        parameters.append(pushes.map(\.push.id.text))
        parameters.append(pushes.map { Int64(bitPattern: $0.sequence) })
        parameters.append(pushes.map(\.push.due.milliseconds))
        parameters.append(pushes.map { Int32(clamping: $0.attempt) })
        let gone = try await ask { [parameters] connection throws(PostgresFailure) in
            let rows = try connection.query("SELECT * FROM withdraw($1, $2, $3, $4)", parameters)
            return Set((0..<rows.count).map { rows.text($0, 0) })
        }
        return pushes.map { gone.contains($0.push.id.text) }
    }

    package func place(_ pushes: [Pending]) async throws(TimelineError) -> [Bool] {
        guard !pushes.isEmpty else { return [] }
        var columns = PushColumns()
        do { columns.append(try PushBatch(pushes.map(\.push))) } catch {
            throw TimelineError(.invalid, "\(error)")
        }
        var parameters = moment
        columns.add(to: &parameters)
        let groups = pushes.map { pending in
            pending.group
                ?? Pending.Group(first: pending.push.due, last: pending.push.due, isOpen: false)
        }
        parameters.append(pushes.map(\.asked.milliseconds))
        parameters.append(pushes.map(\.accepted.milliseconds))
        parameters.append(pushes.map { Int32(clamping: $0.attempt) })
        parameters.append(groups.map(\.first.milliseconds))
        parameters.append(groups.map(\.last.milliseconds))
        parameters.append(groups.map { Int16($0.isOpen ? 1 : 0) })
        let collected = pushes.enumerated().flatMap { place, pending in
            pending.collected.map { (owner: Int32(place + 1), payload: $0) }
        }
        parameters.append(collected.map(\.owner))
        parameters.append(collected.map(\.payload))
        let answer = try await change(
            "SELECT * FROM place(\(Self.places(parameters)))",
            parameters
        )
        guard answer.outcomes.count == pushes.count else {
            throw TimelineError(.corrupt, "PostgreSQL gave \(answer.outcomes.count) outcomes")
        }
        return answer.outcomes.map { $0 == 0 }
    }

    package func awaitsJoining(_ pushes: [Push]) async throws(TimelineError) -> [Bool] {
        var parameters = PostgresParameters()
        parameters.append(pushes.map(\.recipient.account))
        parameters.append(pushes.map(\.recipient.person))
        parameters.append(pushes.map { $0.merge?.key ?? "" })
        let found = try await ask(isRead: true) {
            [parameters] connection throws(PostgresFailure) in
            let rows = try connection.query("SELECT * FROM joinable($1, $2, $3)", parameters)
            return Set((0..<rows.count).map { Int(rows.number($0, 0)) })
        }
        return pushes.indices.map { pushes[$0].merge != nil && found.contains($0 + 1) }
    }

    /// The schema is dropped, with nothing in it.
    package func retire() async throws(TimelineError) -> Bool {
        // It was checked to need no quotes.
        let name = configuration.schema
        return try await ask { connection throws(PostgresFailure) in
            do throws(PostgresFailure) {
                try connection.run("BEGIN")
                try connection.run("LOCK TABLE pushes, parked IN ACCESS EXCLUSIVE MODE")
                let rows = try connection.query("SELECT count(*) FROM pushes")
                let isEmpty = rows.number(0, 0) == 0
                if isEmpty { try connection.run("DROP SCHEMA \(name) CASCADE") }
                try connection.run("COMMIT")
                return isEmpty
            } catch {
                throw Self.ended(connection, error)
            }
        }
    }
}
