package import BelfryCore
package import BelfryPostgresClient

/// What is wrong with a server's settings, for somebody who trusts it with pushes.
package struct PostgresFinding: Sendable, Hashable, CustomStringConvertible {
    package enum Weight: String, Sendable, Hashable {
        /// Pushes that were accepted would be lost in normal operation: the timeline is not used.
        case refused
        /// Pushes can be lost, or the server grows slow; somebody may have reasons.
        case warning
    }

    package var weight: Weight
    /// The setting: `fsync`, `synchronous_commit`.
    package var setting: String
    /// What is wrong, what it can do, and what to set instead.
    package var problem: String

    package var description: String { "\(setting): \(problem)" }
}

/// Whether a server keeps what it has committed.
package enum PostgresAudit {
    /// - Returns: the findings, the gravest first; empty: all is well.
    package static func findings(on connection: PostgresConnection) throws(PostgresFailure)
        -> [PostgresFinding]
    {
        let rows = try connection.query(
            """
            SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
                current_setting('autovacuum'), pg_is_in_recovery()
            """
        )
        var found: [PostgresFinding] = []
        func judge(_ weight: PostgresFinding.Weight, _ setting: String, _ problem: String) {
            found.append(PostgresFinding(weight: weight, setting: setting, problem: problem))
        }
        if rows.number(0, 4) == 1 {
            judge(.refused, "pg_is_in_recovery", "the server is a standby: name the primary")
        }
        if rows.text(0, 0) == "off" {
            judge(
                .refused,
                "fsync",
                "is off: a power cut loses or damages everything; set it to on"
            )
        }
        if rows.text(0, 1) == "off" {
            judge(
                .refused,
                "synchronous_commit",
                "is off: a crash loses what was accepted last; set it to on, at least for this user (ALTER ROLE … SET)"
            )
        }
        if rows.text(0, 2) == "off" {
            judge(
                .warning,
                "full_page_writes",
                "is off: a power cut can damage pages; set it to on"
            )
        }
        if rows.text(0, 3) == "off" {
            judge(
                .warning,
                "autovacuum",
                "is off: what finished pushes leave behind makes every claim slower; set it to on"
            )
        }
        return found
    }

    /// Connects only to look.
    package static func findings(of address: PostgresAddress) async throws(TimelineError)
        -> [PostgresFinding]
    {
        var settings = PostgresSettings()
        settings.connections = 1
        let pool = PostgresPool(address, settings)
        let result: Result<[PostgresFinding], PostgresFailure>
        do throws(PostgresFailure) {
            result = .success(try await pool.run(isRead: true, isPatient: false, findings(on:)))
        } catch { result = .failure(error) }
        await pool.close()
        do throws(PostgresFailure) { return try result.get() } catch { throw error.timelineError }
    }
}

extension PostgresTimeline {
    /// Judges the server.
    ///
    /// - Returns: the warnings.
    /// - Throws: ``TimelineError`` with `invalid` where the server would lose what it accepts.
    package func audited() async throws(TimelineError) -> [PostgresFinding] {
        let found = try await ask(isRead: true) { connection throws(PostgresFailure) in
            try PostgresAudit.findings(on: connection)
        }
        if let refused = found.first(where: { $0.weight == .refused }) {
            throw TimelineError(
                .invalid,
                "this PostgreSQL must not keep pushes: \(refused.description)"
            )
        }
        return found
    }
}
