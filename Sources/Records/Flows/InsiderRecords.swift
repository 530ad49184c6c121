package import BelfryCore

extension Records {
    package var insiders: InsiderRecords { InsiderRecords(records: self) }
}

/// Somebody who may be inside a flow, by the step that was planned last.
package struct Insider: Sendable, Hashable {
    package var recipient: Recipient
    package var flow: String
    /// The step's own moment: it names the step, so that the end of an older one does not take out who has begun anew.
    package var due: Timestamp

    package init(recipient: Recipient, flow: String, due: Timestamp) {
        self.recipient = recipient
        self.flow = flow
        self.due = due
    }
}

/// What becomes of ``InsiderRecords`` by something that happened.
package enum InsiderChange: Sendable, Hashable {
    /// A step was planned.
    case planned(Insider)
    /// That step ended. Where another one was planned since, nothing changes.
    case ended(Insider)
    /// The person left, whatever the step.
    case left(Recipient, flow: String)
}

/// An index of who is inside which flow, so that a publication looks at them alone. The timeline is the truth: nobody who is inside is
/// missing here, but some may be here who are not inside any more; whoever finds them says so with ``forget(_:)``.
package struct InsiderRecords: Sendable {
    let records: Records

    /// The people who may be inside a flow, by their ids.
    ///
    /// - Parameter cursor: `next` of the page before.
    package func list(
        account: String,
        flow: String,
        limit: Int = TextLimits.page,
        cursor: String? = nil
    ) async throws(RecordsError) -> Page<Insider> {
        let after = try cursor.map { text throws(RecordsError) in try PageCursor(text) }
        let limit = Page<Insider>.bounded(limit)
        let rows = try await records.database.read { session throws(RecordsError) in
            try session.rows(
                """
                SELECT person, due FROM insiders
                WHERE account = ? AND flow = ? AND person > ? ORDER BY person LIMIT ?
                """,
                [.text(account), .text(flow), .text(after?.text ?? ""), .integer(limit + 1)]
            )
        }
        let items = rows.map {
            Insider(
                recipient: Recipient(account: account, person: $0.text(0)),
                flow: flow,
                due: $0.time(1)
            )
        }
        return Page(items, limit: limit) { PageCursor(text: $0.recipient.person) }
    }

    /// Notes what happened, in order; at most 10,000 changes.
    package func apply(_ changes: [InsiderChange]) async throws(RecordsError) {
        guard !changes.isEmpty else { return }
        try InsiderChange.check(changes)
        try await records.database.write { session throws(RecordsError) in
            try InsiderChange.apply(changes, session)
        }
    }

    /// Takes out who was found not to be inside; who has begun a step since stays.
    package func forget(_ insiders: [Insider]) async throws(RecordsError) {
        try await apply(insiders.map { .ended($0) })
    }
}

extension InsiderChange {
    private static let upsert = MultiRow(
        "INSERT INTO insiders (account, flow, person, due) VALUES",
        columns: 4,
        "ON CONFLICT (account, flow, person) DO UPDATE SET due = excluded.due"
    )
    private static let leave = "DELETE FROM insiders WHERE account = ? AND flow = ? AND person = ?"

    static func check(_ changes: [InsiderChange]) throws(RecordsError) {
        try BelfryRecords.check(batch: changes.count)
        for change in changes {
            switch change {
            case .planned(let insider), .ended(let insider):
                try BelfryRecords.check(insider.recipient)
                try BelfryRecords.check(insider.flow, "flow", 1...TextLimits.name)
            case .left(let recipient, let flow):
                try BelfryRecords.check(recipient)
                try BelfryRecords.check(flow, "flow", 1...TextLimits.name)
            }
        }
    }

    static func apply(_ changes: [InsiderChange], _ session: any SQLSession) throws(RecordsError) {
        var planned = PlannedRows()
        for change in changes {
            switch change {
            case .planned(let insider):
                if planned.holds(insider) { try planned.write(upsert, session) }
                planned.add(insider)
            case .ended(let insider):
                try planned.write(upsert, session)
                try session.run(leave + " AND due = ?", insider.values)
            case .left(let recipient, let flow):
                try planned.write(upsert, session)
                try session.run(
                    leave,
                    [.text(recipient.account), .text(flow), .text(recipient.person)]
                )
            }
        }
        try planned.write(upsert, session)
    }
}

/// Changes in a row that one statement can write: PostgreSQL refuses to update one row twice in a statement.
private struct PlannedRows {
    private struct Place: Hashable {
        var recipient: Recipient
        var flow: String

        init(_ insider: Insider) {
            recipient = insider.recipient
            flow = insider.flow
        }
    }

    private var places: Set<Place> = []
    private var values: [SQLValue] = []

    func holds(_ insider: Insider) -> Bool { places.contains(Place(insider)) }

    mutating func add(_ insider: Insider) {
        places.insert(Place(insider))
        values += insider.values
    }

    mutating func write(_ upsert: MultiRow, _ session: any SQLSession) throws(RecordsError) {
        guard !places.isEmpty else { return }
        try upsert.run(session, values)
        self = PlannedRows()
    }
}

extension Insider {
    fileprivate var values: [SQLValue] {
        [.text(recipient.account), .text(flow), .text(recipient.person), .time(due)]
    }
}
