import BelfryPostgresProcess
import Foundation
import Testing

@Suite("belfry records")
struct MoveRecordsTests {
    private let folder =
        FileManager.default.temporaryDirectory.path() + "/move-records-\(UUID())"

    private func run(_ server: RunningServer, _ arguments: String...) async throws -> Program.Result
    {
        try await Program.run(arguments + server.keyFile, environment: server.environment)
    }

    @Test(
        "moves them to PostgreSQL and back while the server runs; a start with the old place says where they are"
    )
    func moves() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let server = try await RunningServer(folder: folder)
        #expect(try await run(server, "account", "add", "shop", "--kind", "webhook").code == 0)
        let file = folder + "/records.sqlite"
        #expect(try await run(server, "records", "status").out.contains(file))
        let wrong = try await run(server, "records", "move", "--to", "mysql://x")
        #expect(wrong.code == 65 && wrong.err.contains("'sqlite'"), "\(wrong.err)")
        let moved = try await run(server, "records", "move", "--to", postgres.address())
        #expect(moved.code == 0 && moved.out.contains("writes waited for"), "\(moved.err)")
        // The server has not been stopped, and goes on.
        #expect(try await run(server, "account", "pause", "shop", "--reason", "x").code == 0)
        let again = try await run(server, "records", "move", "--to", postgres.address())
        #expect(again.code == 65 && again.err.contains("there already"), "\(again.err)")
        await server.stop()

        let refused = try await Program.run(["serve", "--data-folder", folder, "--http-port", "0"])
        #expect(refused.code == 78, "\(refused.err)")
        #expect(
            refused.err.contains("have moved to postgres://") && refused.err.contains("records.url")
        )
        let second = try await RunningServer(
            folder: folder,
            arguments: ["--records-url", postgres.address()]
        )
        #expect(try await run(second, "account", "list").out.contains("x"))
        let full = try await run(second, "records", "move", "--to", "sqlite")
        #expect(full.code == 65 && full.err.contains("holds records already"), "\(full.err)")
        for end in ["", "-wal", "-shm"]
        where FileManager.default.fileExists(atPath: file + end) {
            try FileManager.default.moveItem(atPath: file + end, toPath: file + ".old" + end)
        }
        let back = try await run(second, "records", "move", "--to", "sqlite")
        #expect(back.code == 0, "\(back.err)")
        #expect(try await run(second, "records", "status").out.contains(file))
        await second.stop()
        let home = try await RunningServer(folder: folder)
        #expect(try await run(home, "account", "list").out.contains("shop"))
        await home.stop()
    }

    @Test(
        "refuses to move what other servers use; records that were left can be put in force again"
    )
    func others() async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        let flags = ["--timeline-url", postgres.address(), "--records-url", postgres.address()]
        let one = try await RunningServer(folder: "\(folder)/one", arguments: flags)
        let two = try await RunningServer(
            folder: "\(folder)/two",
            arguments: flags + ["--secret-key-file", "\(folder)/one/secret.key"]
        )
        let refused = try await run(one, "records", "move", "--to", "sqlite")
        #expect(refused.code == 65 && refused.err.contains("other servers"), "\(refused.err)")
        await two.stop()
        let moved = try await run(one, "records", "move", "--to", "sqlite")
        #expect(moved.code == 0, "\(moved.err)")
        await one.stop()
        let environment = ["BELFRY_RECORDS_URL": postgres.address()]
        let reopened = try await Program.run(
            ["records", "reopen", "--data-folder", "\(folder)/two", "--yes"],
            environment: environment
        )
        #expect(reopened.code == 0 && reopened.out.contains("in force"), "\(reopened.err)")
        let again = try await RunningServer(
            folder: "\(folder)/two",
            arguments: flags + ["--secret-key-file", "\(folder)/one/secret.key"]
        )
        await again.stop()
    }
}
