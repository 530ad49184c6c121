import BelfryCore
import BelfryPostgresClient

/// Brings the tables and functions of a schema about, whoever comes first.
struct PostgresSchema {
    /// Of the tables and of what functions take and give: a program refuses a newer one than it knows.
    static let format = 1
    /// Of what functions do: the newest program that has come by has put its own there.
    static let revision = 3

    let name: String
    /// Whose pushes these are; empty: nothing is said about that.
    let records: String
    let connection: PostgresConnection

    /// - Throws: ``PostgresFailure``, or ``TimelineError`` with `newerFormat` or `invalid`.
    func prepare() throws {
        try connection.run("BEGIN")
        // Several processes may start at once; the number is no more than a name.
        try connection.query("SELECT pg_advisory_xact_lock(7093168)")
        try bringAbout()
        try connection.run("COMMIT")
    }

    private func bringAbout() throws {
        let known = try connection.query(
            "SELECT to_regnamespace($1) IS NULL, to_regclass($1 || '.meta') IS NULL, current_setting('server_encoding'), current_setting('server_version_num')::integer",
            text(name)
        )
        guard known.text(0, 2) == "UTF8" else {
            throw TimelineError(
                .invalid,
                "the database has the encoding \(known.text(0, 2)); UTF8 is needed"
            )
        }
        guard known.number(0, 3) >= 120_000 else {
            throw TimelineError(.invalid, "PostgreSQL 12 or newer is needed")
        }
        // Names were checked to need no quotes.
        if known.number(0, 0) == 1 { try connection.run("CREATE SCHEMA \(name)") }
        if known.number(0, 1) == 1 {
            try connection.run(Self.script(PackageResources.tables_sql))
            try connection.run("INSERT INTO meta VALUES (\(Self.format), 0)")
        }
        try bringUpToDate()
        if !records.isEmpty { try checkHolder() }
    }

    /// From now on the pushes belong to these records, unless they belong to others.
    ///
    /// - Throws: ``PostgresFailure``, or ``TimelineError`` with `invalid`.
    func hold() throws {
        try connection.run("BEGIN")
        try connection.query("SELECT pg_advisory_xact_lock(7093168)")
        try checkHolder()
        try connection.run("CREATE TABLE IF NOT EXISTS \(name).holder (records text PRIMARY KEY)")
        try connection.query(
            "INSERT INTO \(name).holder VALUES ($1) ON CONFLICT DO NOTHING",
            text(records)
        )
        try connection.run("COMMIT")
    }

    /// Another's accounts are unknown here: their pushes would be given up. Who holds them stands in a table of its own, which programs that do not know it leave alone.
    private func checkHolder() throws {
        let known = try connection.query("SELECT to_regclass($1 || '.holder') IS NULL", text(name))
        guard known.number(0, 0) == 0 else { return }
        let holder = try connection.query("SELECT records FROM \(name).holder")
        guard holder.count > 0, holder.text(0, 0) != records else { return }
        throw TimelineError(
            .invalid,
            """
            the pushes in the schema \(name) belong to a server with other records (\(holder.text(0, 0)); these are \(records)): it alone knows \
            their accounts. Set another timeline.prefix, or let both use the same records (records.url). Where those other records are lost for \
            good, `DELETE FROM \(name).holder` gives the pushes to the next server that starts
            """
        )
    }

    private func bringUpToDate() throws {
        let meta = try connection.query("SELECT format, revision FROM meta")
        guard meta.count == 1 else {
            throw TimelineError(.corrupt, "PostgreSQL: \(name).meta has \(meta.count) rows")
        }
        guard meta.number(0, 0) <= Self.format else {
            throw TimelineError(
                .newerFormat,
                "the pushes in the schema \(name) have format \(meta.number(0, 0)), this program knows \(Self.format) at most"
            )
        }
        guard meta.number(0, 1) < Self.revision else { return }
        for script in Self.functions { try connection.run(Self.script(script)) }
        try connection.run("UPDATE meta SET revision = \(Self.revision)")
    }

    private static let functions = [
        PackageResources.clock_sql, PackageResources.land_sql, PackageResources.put_sql,
        PackageResources.claim_sql, PackageResources.settle_sql, PackageResources.look_sql,
        PackageResources.move_sql,
    ]

    private static func script(_ bytes: [UInt8]) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private func text(_ text: String) -> PostgresParameters {
        var parameters = PostgresParameters()
        parameters.append(text)
        return parameters
    }
}
