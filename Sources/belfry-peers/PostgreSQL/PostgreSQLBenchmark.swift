import BelfryBench
import BelfryPeers
import Foundation

extension Benchmark {
    /// The table that every job queue on PostgreSQL has: a key, and an index of what is due among what is pending.
    static let schedulePostgreSQL = Benchmark(
        "schedule.postgresql",
        "Rows inserted into PostgreSQL, 1,000 in a transaction, partial index on (due, id), synchronous_commit on, against schedule.durable"
    ) { setting in
        let pushes = setting.count(300, least: 4) * BenchPushes.batch
        let seconds = try await PostgreSQLServer.during(folder: setting.folder) { port in
            let table = try PostgreSQLConnection(port: port)
            try table.run(PushTable.definition)
            let seconds = try await PeerLoad.put(0..<pushes, prepare: PushTable.arrays) {
                let connection = try PostgreSQLConnection(port: port)
                return { try connection.run(PushTable.insert, arrays: $0) }
            }
            let rows = try table.number("select count(*) from pushes")
            try PeerLoad.check("PostgreSQL", holds: rows, of: pushes)
            return seconds
        }
        return [
            try await PeerLoad.measurement(
                "schedule.postgresql",
                pushes: pushes,
                seconds: seconds,
                setting
            )
        ]
    }
}

/// A cluster of its own.
enum PostgreSQLServer {
    static func during<Value>(folder: String, _ work: (_ port: Int) async throws -> Value)
        async throws -> Value
    {
        let port = try LoopbackPort.free()
        let data = "\(folder)/data"
        var layout = PeerProgram(
            "initdb",
            path: try program("initdb"),
            arguments: ["-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale"],
            folder: folder
        )
        layout.user = "postgres"
        try give(folder, to: "postgres")
        try layout.run()
        var server = PeerProgram(
            "postgres",
            path: try program("postgres"),
            arguments: ["-D", data, "-p", String(port)]
                + [
                    "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=on",
                    "synchronous_commit=on",
                    // More than the defaults, which suit the smallest machines.
                    "shared_buffers=512MB", "max_wal_size=4GB",
                ].flatMap { ["-c", $0] },
            folder: folder
        )
        server.user = "postgres"
        // Ends at once, without waiting for clients.
        server.stopSignal = SIGINT
        server.greet = { _ = try PostgreSQLConnection(port: $0) }
        return try await PeerServer.during(server, port: port) { try await work($0.port) }
    }

    private static func program(_ name: String) throws -> String {
        // Debian keeps each major version in a folder of its own, none of them on the path.
        let base = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        let newest = versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        return try Installed.program(
            name,
            package: "postgresql",
            in: newest.map { "\(base)/\($0)/bin" }
        )
    }

    /// PostgreSQL refuses to run as root and to use a folder of another user.
    private static func give(_ folder: String, to user: String) throws {
        guard geteuid() == 0 else { return }
        guard let entry = getpwnam(user),
            chown(folder, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0
        else { throw LoadFailure("\(folder) cannot be given to the user \(user)") }
    }
}
