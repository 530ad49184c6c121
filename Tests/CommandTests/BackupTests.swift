import Foundation
import Testing

@Suite("belfry backup")
struct BackupTests {
    private func withFolders(_ work: (_ data: String, _ copy: String) async throws -> Void)
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.path() + "/backup-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await work(folder + "/data", folder + "/copy")
    }

    private func start(_ folder: String) async throws -> RunningServer {
        let server = try await RunningServer(folder: folder)
        let added = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        #expect(added.code == 0, "\(added.err)")
        return server
    }

    private func backup(_ server: RunningServer, _ path: String) async throws -> Program.Result {
        try await Program.run(["backup", path] + server.keyFile, environment: server.environment)
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test("of a running server can be served: accounts, keys and pushes are there")
    func running() async throws {
        try await withFolders { data, copy in
            let server = try await start(data)
            #expect(try await server.schedule(id: "one").code == 0)
            let made = try await backup(server, copy)
            #expect(made.code == 0, "\(made.err)")
            #expect(made.out.contains("timeline, records.sqlite, secret.key, admin.key"))
            #expect(try await server.schedule(id: "two").code == 0)
            await server.kill()
            #expect(try mode(copy) == 0o700)
            for name in ["records.sqlite", "secret.key", "admin.key"] {
                #expect(try mode("\(copy)/\(name)") == 0o600, "\(name)")
            }
            #expect(try await Program.run(["doctor", copy]).code == 0)

            let restored = try await RunningServer(folder: copy)
            for (id, code) in [("one", 0), ("two", 65)] as [(String, Int32)] {
                let found = try await Program.run(
                    ["push", "find", id] + restored.keyFile,
                    environment: restored.environment
                )
                #expect(found.code == code, "\(id): \(found.out)\(found.err)")
            }
            let accounts = try await Program.run(
                ["account", "list"] + restored.keyFile,
                environment: restored.environment
            )
            #expect(accounts.out.contains("shop"))
            await restored.stop()
        }
    }

    @Test("needs a folder that is empty or not there, and a key that may")
    func refused() async throws {
        try await withFolders { data, copy in
            let server = try await start(data)
            let full = try await backup(server, data)
            #expect(full.code == 65)
            #expect(full.err.contains("is not empty"))
            try FileManager.default.createDirectory(
                atPath: copy,
                withIntermediateDirectories: false
            )
            #expect(try await backup(server, copy).code == 0)
            let own = copy + "3.partial"
            try FileManager.default.createDirectory(
                atPath: own,
                withIntermediateDirectories: false
            )
            let other = try await backup(server, copy + "3")
            #expect(other.code == 65)
            #expect(other.err.contains("3.partial is there"))
            #expect(FileManager.default.fileExists(atPath: own))
            try FileManager.default.removeItem(atPath: own)
            let key = try await Program.run(
                ["key", "create", "reader", "--scope", "read"] + server.keyFile,
                environment: server.environment
            )
            let reader = try await Program.run(
                ["backup", copy + "2", "--key", key.out.trimmingCharacters(in: .newlines)],
                environment: server.environment
            )
            #expect(reader.code == 77)
            #expect(!FileManager.default.fileExists(atPath: copy + "2"))
            await server.stop()
        }
    }

    @Test("of a stopped server's folder changes nothing there; one in use or damaged is refused")
    func stopped() async throws {
        try await withFolders { data, copy in
            let server = try await start(data)
            #expect(try await server.schedule(id: "one").code == 0)
            let offline = ["backup", copy, "--data-folder", data]
            #expect(try await Program.run(offline).code == 75)
            await server.kill()
            let before = try contents(data)
            let made = try await Program.run(offline)
            #expect(made.code == 0, "\(made.err)")
            #expect(try contents(data) == before)
            let restored = try await RunningServer(folder: copy)
            let found = try await Program.run(
                ["push", "find", "one"] + restored.keyFile,
                environment: restored.environment
            )
            #expect(found.code == 0)
            await restored.stop()

            let manifest = data + "/timeline/lane-0/MANIFEST"
            var bytes = try Data(contentsOf: URL(filePath: manifest))
            bytes[40] ^= 1
            try bytes.write(to: URL(filePath: manifest))
            let damaged = try await Program.run(["backup", copy + "2", "--data-folder", data])
            #expect(damaged.code == 65)
            let names = try FileManager.default.contentsOfDirectory(
                atPath: URL(filePath: data).deletingLastPathComponent().path()
            )
            #expect(Set(names) == ["data", "copy"])
        }
    }

    private func contents(_ folder: String) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            found[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
        }
        return found
    }
}
