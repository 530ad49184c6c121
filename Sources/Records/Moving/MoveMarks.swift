import BelfryCore

/// What a move of the records has come to, as each of the two places knows it.
enum MoveMark: String {
    /// A move to another place has begun; until it ends, these records are in force.
    case leaving
    /// The records are in force in another place.
    case left
    /// These records are being filled by a move from another place, and are of no use until it ends.
    case filling
    /// A move has filled these records to the end; those that it came from say whether it made the switch.
    case filled
}

extension MoveMark {
    static func all(_ session: any SQLSession) throws(RecordsError) -> [MoveMark: String] {
        var marks: [MoveMark: String] = [:]
        for row in try session.rows("SELECT role, place FROM moves LIMIT 10", []) {
            if let mark = MoveMark(rawValue: row.text(0)) { marks[mark] = row.text(1) }
        }
        return marks
    }

    /// - Parameter place: of the other records.
    func set(_ place: String, at time: Timestamp, _ session: any SQLSession) throws(RecordsError) {
        try clear(session)
        try session.run(
            "INSERT INTO moves (role, place, at) VALUES (?, ?, ?)",
            [.text(rawValue), .text(place), .time(time)]
        )
    }

    func clear(_ session: any SQLSession) throws(RecordsError) {
        try session.run("DELETE FROM moves WHERE role = ?", [.text(rawValue)])
    }
}

extension SQLDatabase {
    /// The tables that a move takes along: all but those that tell of this place itself.
    func movedTables() async throws(RecordsError) -> [SQLTable] {
        let query = moving.tables
        let rows = try await read { session throws(RecordsError) in try session.rows(query, []) }
        let own = ["belfry_schema", "moves", "nodes"]
        return SQLTable.read(rows).filter {
            !own.contains($0.name) && !$0.name.hasPrefix("changes_")
        }
    }

    /// Looks at what moves have left here, before the records are used.
    ///
    /// - Returns: where a move went to that was cut off before it ended, and is undone; `nil`: there was none.
    /// - Throws: `elsewhere` where these records are not in force.
    func settleMoves() async throws(RecordsError) -> String? {
        let marks = try await marksInForce()
        if marks[.filled] != nil {
            // Whoever uses them makes them more than what a move has filled.
            try await write { session throws(RecordsError) in try MoveMark.filled.clear(session) }
        }
        if marks[.leaving] != nil { try await abandonMove() }
        return marks[.leaving]
    }

    /// What moves have left here; changes nothing.
    ///
    /// - Throws: `elsewhere` where these records are not in force.
    func marksInForce() async throws(RecordsError) -> [MoveMark: String] {
        let marks = try await read { session throws(RecordsError) in
            try MoveMark.all(session)
        }
        if let place = marks[.left] {
            throw RecordsError(.elsewhere, "the records have moved to \(place)")
        }
        if let place = marks[.filling] {
            throw RecordsError(
                .elsewhere,
                "a move from \(place) to here was cut off: these records are incomplete, those there are in force"
            )
        }
        return marks
    }

    /// Whether the records here are somebody's. Those that a move has filled are in force only if the ones that it came from say so, whom it is to ask first.
    func isInUse() async throws(RecordsError) -> Bool {
        let tables = try await movedTables()
        return try await read { session throws(RecordsError) in
            let marks = try MoveMark.all(session)
            guard marks[.left] == nil, marks[.filling] == nil, marks[.filled] == nil else {
                return false
            }
            // Whoever has used them has at least sealed a word.
            for table in tables
            where try session.row("SELECT 1 FROM \(table.name) LIMIT 1", []) != nil {
                return true
            }
            return false
        }
    }

    /// Undoes what a move has done to the records that it was to leave.
    func abandonMove() async throws(RecordsError) {
        let words = moving
        let tables = try await movedTables()
        try await write { session throws(RecordsError) in
            for table in tables {
                for statement in words.unwatch(table) { try session.run(statement, []) }
            }
            try MoveMark.leaving.clear(session)
        }
    }

    /// Puts records in force again that were left, or never filled to the end.
    func reopenMoved() async throws(RecordsError) {
        let words = moving
        let tables = try await movedTables()
        try await abandonMove()
        try await write { session throws(RecordsError) in
            for table in tables {
                for statement in words.unfence(table) { try session.run(statement, []) }
            }
            try MoveMark.left.clear(session)
            try MoveMark.filling.clear(session)
            try MoveMark.filled.clear(session)
        }
    }
}
