import BelfryCore

/// Moves records to another database while they are used.
///
/// Triggers note the primary key of every row that changes. Meanwhile rows are copied in pages; then what was noted is copied again, round by round,
/// until little is left or no less than the round before, and every row of both is compared. None of this runs after what is written meanwhile: each pass ends
/// with what was there when it began, so that a move ends however fast others write. Then writes are held for a moment, the rest is copied, and one transaction on the old database
/// marks it as left: that is the switch. Before it a crash leaves the old records in force, after it the new ones.
package struct RecordsMove: Sendable {
    package enum Step: String, Sendable, CaseIterable {
        case watching, copied, caughtUp, compared, held, ready, left
    }

    /// What a move has done.
    package struct Report: Sendable, Hashable {
        /// Rows by table, as compared.
        package var rows: [String: Int] = [:]
        /// Changes that were copied after the pages.
        package var changes = 0
        /// How long writes waited.
        package var held = Duration.zero
    }

    /// Fewer changes than this go while writes are held.
    private static let few = 200

    let source: any SQLDatabase
    let target: any SQLDatabase
    /// As the marks name them.
    let places: (source: String, target: String)
    let clock: any WallClock
    private var copies: [RowCopy] = []
    private var numbers: [String: Int] = [:]
    /// Rows that differed when they were compared, and have not been copied since.
    private var suspects: [String: Set<[SQLValue]>] = [:]
    private(set) var report = Report()

    init(
        from source: any SQLDatabase,
        to target: any SQLDatabase,
        places: (source: String, target: String),
        clock: any WallClock
    ) {
        self.source = source
        self.target = target
        self.places = places
        self.clock = clock
    }

    // MARK: Beside the work

    /// Everything that needs no writes to wait.
    mutating func prepare(_ reached: (Step) async throws -> Void) async throws {
        try await open()
        try await reached(.watching)
        for copy in copies { try await self.copy(copy) }
        try await reached(.copied)
        try await catchUp()
        try await reached(.caughtUp)
        for copy in copies { try await compare(copy) }
        try await reached(.compared)
        try await catchUp()
    }

    private mutating func open() async throws {
        try await target.migrate(Schema.migrations)
        let (now, places, words) = (clock.now(), places, source.moving)
        try await emptyTarget()
        try await target.write { session throws(RecordsError) in
            try MoveMark.filling.set(places.source, at: now, session)
        }
        let tables = try await source.movedTables()
        copies = tables.map { RowCopy($0, target.moving) }
        try await source.write { session throws(RecordsError) in
            try MoveMark.leaving.set(places.target, at: now, session)
            for table in tables {
                for statement in words.watch(table) { try session.run(statement, []) }
            }
        }
    }

    /// What a move has filled that was cut off is cleared; anything else is somebody's.
    private func emptyTarget() async throws {
        let tables = try await target.movedTables()
        let place = places.target
        try await target.write { session throws(RecordsError) in
            let marks = try MoveMark.all(session)
            let isRemnant = marks[.filling] != nil || marks[.filled] != nil
            for table in tables {
                if isRemnant { try session.run("DELETE FROM \(table.name)", []) }
                if try session.row("SELECT 1 FROM \(table.name) LIMIT 1", []) != nil {
                    throw RecordsError(
                        .invalid,
                        "to: \(place) holds records already (table \(table.name)): name an empty place, or clear that one"
                    )
                }
            }
        }
    }

    private func copy(_ copy: RowCopy) async throws {
        guard let last = try await copy.lastKey(in: source) else { return }
        var first: [SQLValue]?
        while true {
            let rows = try await copy.rows(in: source, after: first, upTo: last)
            try await copy.insert(rows, into: target)
            guard rows.count == RowCopy.page, let end = rows.last else { return }
            first = copy.table.key(of: end)
            try Task.checkCancellation()
        }
    }

    private mutating func catchUp() async throws {
        var before = Int.max
        while true {
            let count = try await round()
            // Where others write as fast as this reads, no number of rounds would do: the rest goes while writes are held.
            if count < Self.few || count >= before { return }
            before = count
            try Task.checkCancellation()
        }
    }

    /// Copies what has changed until now.
    ///
    /// - Returns: how many rows that were.
    private mutating func round() async throws(RecordsError) -> Int {
        var count = 0
        for copy in copies {
            let name = copy.table.name
            let end = try await copy.lastChange(in: source)
            while numbers[name] ?? 0 < end {
                let (last, rows) = try await copy.changes(in: source, after: numbers[name] ?? 0)
                let differing = try await copy.apply(rows, to: target)
                suspects[name, default: []].subtract(rows.keys)
                suspects[name, default: []].formUnion(differing)
                numbers[name] = last
                count += rows.count
            }
        }
        report.changes += count
        return count
    }

    /// Reads every row of both. What differs must be among the changes that are still to come.
    private mutating func compare(_ copy: RowCopy) async throws {
        let last = try await copy.lastKey(in: source)
        report.rows[copy.table.name] = try await compare(
            copy,
            pagesOf: source,
            with: target,
            to: last
        )
        // Behind the last row of the source, whatever is there.
        let end = try await copy.lastKey(in: target)
        _ = try await compare(copy, pagesOf: target, with: source, after: last, to: end)
    }

    /// - Returns: how many rows the first has in the range.
    private mutating func compare(
        _ copy: RowCopy,
        pagesOf one: any SQLDatabase,
        with other: any SQLDatabase,
        after first: [SQLValue]? = nil,
        to last: [SQLValue]?
    ) async throws -> Int {
        guard let last else { return 0 }
        var (first, count) = (first, 0)
        while true {
            let here = try await copy.rows(in: one, after: first, upTo: last)
            let isLast = here.count < RowCopy.page
            let end = isLast ? last : here.last.map { copy.table.key(of: $0) } ?? last
            let there = try await copy.rows(in: other, after: first, upTo: end, limit: nil)
            let differing = Set(here).symmetricDifference(there).map { copy.table.key(of: $0) }
            suspects[copy.table.name, default: []].formUnion(differing)
            count += here.count
            if isLast { return count }
            first = end
            try Task.checkCancellation()
        }
    }

    // MARK: While writes are held

    /// The rest, and the switch. Nobody else may write meanwhile.
    mutating func finish(_ reached: (Step) async throws -> Void) async throws {
        while try await round() > 0 {}
        for (table, keys) in suspects where !keys.isEmpty {
            throw RecordsError(.conflict, "\(keys.count) rows of \(table) differ after the copy")
        }
        try await takeCounters()
        let (now, place) = (clock.now(), places.source)
        try await target.write { session throws(RecordsError) in
            try MoveMark.filling.clear(session)
            try MoveMark.filled.set(place, at: now, session)
        }
        try await reached(.ready)
        try await leave()
        try await target.write { session throws(RecordsError) in
            try MoveMark.filled.clear(session)
        }
    }

    /// A number that was given once is never given again, though its row be gone.
    private func takeCounters() async throws(RecordsError) {
        for copy in copies {
            guard let column = copy.table.counted else { continue }
            let query = source.moving.counter(of: copy.table, column: column).read
            let last = try await source.read { session throws(RecordsError) in
                try session.row(query, [])?.integer(0) ?? 0
            }
            let statements = target.moving.counter(of: copy.table, column: column).set
            try await target.write { session throws(RecordsError) in
                for statement in statements {
                    let places = statement.count { $0 == "?" }
                    _ = try session.rows(
                        statement,
                        Array(repeating: .integer(last), count: places)
                    )
                }
            }
        }
    }

    /// The switch: in one transaction the old records are marked, and closed to whoever may still have them open.
    private func leave() async throws(RecordsError) {
        let (now, place, words) = (clock.now(), places.target, source.moving)
        let (tables, numbers) = (copies.map(\.table), numbers)
        try await source.write { session throws(RecordsError) in
            for table in tables {
                let last = try session.row("SELECT max(change) FROM \(table.changes)", [])
                guard last?.integer(0) ?? 0 <= numbers[table.name] ?? 0 else {
                    throw RecordsError(
                        .conflict,
                        "somebody else has written to \(table.name): one server alone may use records that move"
                    )
                }
                for statement in words.fence(table) { try session.run(statement, []) }
            }
            try MoveMark.leaving.clear(session)
            try MoveMark.left.set(place, at: now, session)
        }
    }
}
