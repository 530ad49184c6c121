package import BelfryCore

/// A server over these records, as it last said of itself.
package struct NodeRecord: Sendable, Hashable {
    /// Its name, from the data folder's `node-id`.
    package var node: String
    /// The revision of what is set while running that it has applied.
    package var revision: Int
    /// When it applied that.
    package var applied: Timestamp
    /// When it last said anything, by its own clock.
    package var seen: Timestamp
    /// How many shards of a shared timeline are its own; `nil`: the timeline has none.
    package var shards: Int?

    package init(
        node: String,
        revision: Int,
        applied: Timestamp,
        seen: Timestamp,
        shards: Int? = nil
    ) {
        self.node = node
        self.revision = revision
        self.applied = applied
        self.seen = seen
        self.shards = shards
    }
}

extension Records {
    package var nodes: NodeRecords { NodeRecords(records: self) }
}

/// Who uses these records: each server says from time to time that it is there.
package struct NodeRecords: Sendable {
    let records: Records

    package func beat(_ node: NodeRecord) async throws(RecordsError) {
        try check(node.node, "node", 1...TextLimits.name)
        try await records.database.write { session throws(RecordsError) in
            try session.run(
                """
                INSERT INTO nodes (node, revision, applied, seen, shards) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (node) DO UPDATE SET revision = excluded.revision,
                    applied = excluded.applied, seen = excluded.seen, shards = excluded.shards
                """,
                [
                    .text(node.node), .integer(node.revision), .time(node.applied),
                    .time(node.seen), .integer(node.shards),
                ]
            )
        }
    }

    /// A server has ended as it should.
    package func leave(_ node: String) async throws(RecordsError) {
        try await records.database.write { session throws(RecordsError) in
            try session.run("DELETE FROM nodes WHERE node = ?", [.text(node)])
        }
    }

    /// By name; at most 1,000.
    package func all() async throws(RecordsError) -> [NodeRecord] {
        try await records.database.read { session throws(RecordsError) in
            try session.rows(
                "SELECT node, revision, applied, seen, shards FROM nodes ORDER BY node LIMIT 1000",
                []
            ).map {
                NodeRecord(
                    node: $0.text(0),
                    revision: $0.integer(1),
                    applied: $0.time(2),
                    seen: $0.time(3),
                    shards: $0.optionalInteger(4)
                )
            }
        }
    }
}
