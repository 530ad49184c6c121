package import BelfryCore
import BelfryPostgresClient

extension PostgresTimeline {
    /// One statement for the whole batch, which is accepted as a whole or not at all.
    package func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        guard !batch.isEmpty else { return [] }
        var columns = PushColumns()
        columns.append(batch)
        var parameters = moment
        parameters.append(PushLimits.horizon.milliseconds)
        columns.add(to: &parameters)
        let sql = "SELECT * FROM put(\(Self.places(parameters)))"
        let answer = try await change(sql, parameters)
        guard answer.outcomes.count == batch.count else {
            throw TimelineError(.corrupt, "PostgreSQL gave \(answer.outcomes.count) outcomes")
        }
        var outcomes: [ScheduleOutcome] = []
        for code in answer.outcomes { outcomes.append(try Self.known(code)) }
        return outcomes
    }

    /// What `put` and `settle` answer.
    struct Change: Sendable {
        var outcomes: [Int64]
        var before: Timestamp?
        var moment: Moment
    }

    /// Runs a statement that may put something, and tells others where it is due earlier than all before.
    func change(_ sql: String, _ parameters: PostgresParameters) async throws(TimelineError)
        -> Change
    {
        let answer = try await ask { connection throws(PostgresFailure) in
            let rows = try connection.query(sql, parameters)
            return Change(
                outcomes: rows.numbers(0, 0),
                before: rows.time(0, 1),
                moment: Moment(rows, 0, first: 2)
            )
        }
        book.hear(change: answer.moment)
        if let due = answer.moment.nextDue, answer.before.map({ due < $0 }) ?? true {
            hints.send(due, on: pool)
        }
        return answer
    }

    /// `$1, $2, …`
    static func places(_ parameters: PostgresParameters) -> String {
        (1...parameters.count).map { "$\($0)" }.joined(separator: ", ")
    }
}

extension Moment {
    /// From the columns now, passed and next.
    init(_ rows: PostgresRows, _ row: Int, first: Int) {
        self.init(
            now: Timestamp(milliseconds: rows.number(row, first)),
            steady: rows.number(row, first + 1),
            nextDue: rows.time(row, first + 2)
        )
    }
}

extension PostgresRows {
    func time(_ row: Int, _ column: Int) -> Timestamp? {
        optionalNumber(row, column).map { Timestamp(milliseconds: $0) }
    }
}
