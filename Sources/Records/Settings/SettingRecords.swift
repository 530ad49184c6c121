package import BelfryCore

/// One version of a setting.
package struct SettingRecord: Sendable, Hashable {
    package var name: String
    /// 1, 2, 3 …
    package var version: Int
    /// JSON.
    package var value: String
    package var at: Timestamp
    package var who: String
}

extension Records {
    package var settings: SettingRecords { SettingRecords(records: self) }
}

/// What is set while running, with its history.
package struct SettingRecords: Sendable {
    private static let columns = "s.name, s.version, s.value, s.at, s.who"

    let records: Records

    /// - Parameter expected: the version that the change was made from; `nil`: whatever is there.
    /// - Returns: the new version.
    /// - Throws: `conflict` where `expected` is not the newest version (0: none yet).
    @discardableResult
    package func set(_ name: String, to value: String, by who: String, expected: Int? = nil)
        async throws(RecordsError) -> SettingRecord
    {
        try check(name, "name", 1...TextLimits.name)
        try check(value, "value", 1...TextLimits.document)
        try check(who, "who", 1...TextLimits.name)
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            let newest = try session.row(
                "SELECT max(version) FROM settings WHERE name = ?",
                [.text(name)]
            )?.integer(0)
            if let expected, expected != newest ?? 0 {
                throw RecordsError(
                    .conflict,
                    "\(name): is at version \(newest ?? 0), not \(expected)"
                )
            }
            let setting = SettingRecord(
                name: name,
                version: (newest ?? 0) + 1,
                value: value,
                at: now,
                who: who
            )
            try session.run(
                "INSERT INTO settings (name, version, value, at, who) VALUES (?, ?, ?, ?, ?)",
                [
                    .text(name), .integer(setting.version), .text(value), .time(now), .text(who),
                ]
            )
            return setting
        }
    }

    package func find(_ name: String) async throws(RecordsError) -> SettingRecord? {
        try await history(name, limit: 1).first
    }

    /// The newest version of every setting, by name; at most 10,000.
    package func all() async throws(RecordsError) -> [SettingRecord] {
        try await records.database.read { session throws(RecordsError) in
            try session.rows(
                """
                SELECT \(Self.columns) FROM settings s
                WHERE s.version = (SELECT max(n.version) FROM settings n WHERE n.name = s.name)
                ORDER BY s.name LIMIT 10000
                """,
                []
            ).map(SettingRecord.init)
        }
    }

    package func version(_ number: Int, of name: String) async throws(RecordsError)
        -> SettingRecord?
    {
        try await records.database.read { session throws(RecordsError) in
            try session.rows(
                "SELECT \(Self.columns) FROM settings s WHERE s.name = ? AND s.version = ?",
                [.text(name), .integer(number)]
            ).map(SettingRecord.init).first
        }
    }

    /// Newest first.
    package func history(_ name: String, limit: Int = 100)
        async throws(RecordsError) -> [SettingRecord]
    {
        try await records.database.read { session throws(RecordsError) in
            try session.rows(
                """
                SELECT \(Self.columns) FROM settings s
                WHERE s.name = ? ORDER BY s.version DESC LIMIT ?
                """,
                [.text(name), .integer(Page<SettingRecord>.bounded(limit))]
            ).map(SettingRecord.init)
        }
    }
}

extension SettingRecord {
    fileprivate init(_ row: SQLRow) {
        self.init(
            name: row.text(0),
            version: row.integer(1),
            value: row.text(2),
            at: row.time(3),
            who: row.text(4)
        )
    }
}
