/// What one server says of itself to the others over the same records.
package struct TimelineNodeRecord: Sendable, Hashable {
    package var node: String
    /// The newest arrangement of timelines that it works by.
    package var epoch: Int
    /// Grows as long as it lives.
    package var beat: Int
}

extension Records {
    package var timelineNodes: TimelineNodeRecords { TimelineNodeRecords(records: self) }
}

/// Which servers use the timeline, and which of them leads where one must. Nobody's clock counts: who sees that a number has not grown for long enough
/// takes its owner for gone.
package struct TimelineNodeRecords: Sendable {
    let records: Records

    /// Says that a node lives, and what it works by.
    package func beat(_ node: String, epoch: Int) async throws(RecordsError) {
        try await records.database.write { session throws(RecordsError) in
            try session.run(
                """
                INSERT INTO timeline_nodes (node, epoch, beat) VALUES (?, ?, 1)
                ON CONFLICT (node) DO UPDATE SET epoch = excluded.epoch, beat = timeline_nodes.beat + 1
                """,
                [.text(node), .integer(epoch)]
            )
        }
    }

    package func remove(_ node: String) async throws(RecordsError) {
        try await records.database.write { session throws(RecordsError) in
            try session.run("DELETE FROM timeline_nodes WHERE node = ?", [.text(node)])
        }
    }

    package func all() async throws(RecordsError) -> [TimelineNodeRecord] {
        try await records.database.read { session throws(RecordsError) in
            try session.rows(
                "SELECT node, epoch, beat FROM timeline_nodes ORDER BY node LIMIT 1000",
                []
            ).map {
                TimelineNodeRecord(node: $0.text(0), epoch: $0.integer(1), beat: $0.integer(2))
            }
        }
    }

    /// Who leads, and its number.
    package func leader(of name: String) async throws(RecordsError) -> (node: String, beat: Int)? {
        let row = try await records.database.read { session throws(RecordsError) in
            try session.row("SELECT node, beat FROM leads WHERE name = ?", [.text(name)])
        }
        return row.map { ($0.text(0), $0.integer(1)) }
    }

    /// Leads no longer, if it did.
    package func resign(_ name: String, _ node: String) async throws(RecordsError) {
        try await records.database.write { session throws(RecordsError) in
            try session.run(
                "DELETE FROM leads WHERE name = ? AND node = ?",
                [.text(name), .text(node)]
            )
        }
    }

    /// Leads, or goes on leading; in the place of another only while its number is still `beat`.
    ///
    /// - Returns: whether the node leads now.
    package func lead(_ name: String, _ node: String, after beat: Int?) async throws(RecordsError)
        -> Bool
    {
        try await records.database.write { session throws(RecordsError) in
            let rows = try session.rows(
                """
                INSERT INTO leads (name, node, beat) VALUES (?, ?, 1)
                ON CONFLICT (name) DO UPDATE SET node = excluded.node, beat = leads.beat + 1
                WHERE leads.node = excluded.node OR leads.beat = ?
                RETURNING node
                """,
                [.text(name), .text(node), .integer(beat ?? -1)]
            )
            return !rows.isEmpty
        }
    }
}
