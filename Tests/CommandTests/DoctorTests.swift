import Foundation
import Testing

@Suite("belfry doctor")
struct DoctorTests {
    /// A data folder as a server leaves it, with one push pending.
    private func withFolder(_ work: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/doctor-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        _ = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        #expect(try await server.schedule(id: "doctor/1").code == 0)
        await server.stop()
        try await work(folder)
    }

    private func contents(_ folder: String) throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            found[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
        }
        return found
    }

    @Test("a good folder is well, counts what is pending, and is not changed")
    func good() async throws {
        try await withFolder { folder in
            let before = try contents(folder)
            let result = try await Program.run(["doctor", folder])
            #expect(result.code == 0, "\(result.out)\(result.err)")
            #expect(result.out.contains("well: timeline: "))
            #expect(result.out.contains("1 pushes pending"))
            #expect(result.out.contains("well: records: "))
            #expect(try contents(folder) == before)
        }
    }

    @Test("a damaged journal is told with its file, and what to do; ends with 65")
    func damagedJournal() async throws {
        try await withFolder { folder in
            // The one with the push in it.
            let timeline = folder + "/timeline"
            let name = try #require(
                try FileManager.default.subpathsOfDirectory(atPath: timeline).first {
                    let path = "\(timeline)/\($0)"
                    let size = FileManager.default.contents(atPath: path)?.count ?? 0
                    return $0.contains("journal-") && size > 32
                }
            )
            let handle = try #require(FileHandle(forUpdatingAtPath: "\(timeline)/\(name)"))
            try handle.write(contentsOf: Data("not a journal".utf8))
            try handle.close()
            let result = try await Program.run(["doctor", folder])
            #expect(result.code == 65)
            #expect(result.out.contains("damaged: timeline: "))
            #expect(result.out.contains(name))
        }
    }

    @Test("damaged records are told; ends with 65")
    func damagedRecords() async throws {
        try await withFolder { folder in
            try Data(repeating: 7, count: 8192).write(to: URL(filePath: folder + "/records.sqlite"))
            try? FileManager.default.removeItem(atPath: folder + "/records.sqlite-wal")
            let result = try await Program.run(["doctor", folder, "--json"])
            #expect(result.code == 65)
            #expect(result.out.contains(#""area":"records""#))
            #expect(result.out.contains(#""verdict":"damaged""#))
        }
    }

    @Test("a secret that others can read is told; ends with 65")
    func openSecret() async throws {
        try await withFolder { folder in
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o644],
                ofItemAtPath: folder + "/secret.key"
            )
            let result = try await Program.run(["doctor", folder])
            #expect(result.code == 65)
            #expect(result.out.contains("chmod 600 \(folder)/secret.key"))
        }
    }

    @Test("a folder that a server uses is left alone; ends with 75")
    func busy() async throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/doctor-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        let result = try await Program.run(["doctor", folder])
        await server.stop()
        #expect(result.code == 75)
        #expect(result.out.contains("busy: timeline: "))
    }

    @Test("what is no folder ends with 65")
    func missing() async throws {
        let result = try await Program.run(["doctor", "/nowhere/at/all"])
        #expect(result.code == 65)
        #expect(result.out.contains("/nowhere/at/all is no folder"))
    }
}

/// As a user who may not look: where the tests run as root, which may look everywhere, the program is run as another user.
@Suite("belfry doctor, by somebody who may not look")
struct ForeignDoctorTests {
    private static let setpriv = "/usr/bin/setpriv"

    @Test(
        "says that it may not, and calls nothing damaged or empty",
        .enabled(if: geteuid() == 0 && FileManager.default.isExecutableFile(atPath: setpriv))
    )
    func foreign() async throws {
        let folder = "/tmp/foreign-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = try await RunningServer(folder: folder)
        await server.stop()
        // A copy of the program where another user may run it, made by another process: whoever is started here while this one writes it
        // would keep it open, and it could not be run.
        let program = "/tmp/belfry-\(UUID())"
        _ = try await Program.run([Program.path, program], executable: "/bin/cp")
        defer { try? FileManager.default.removeItem(atPath: program) }
        let nobody = [
            "--reuid=65534", "--regid=65534", "--clear-groups", program, "doctor", folder,
        ]
        let closed = try await Program.run(nobody, executable: Self.setpriv)
        #expect(closed.code == 77, "\(closed.out)\(closed.err)")
        #expect(closed.out.contains("unreadable: folder: this user may not look into \(folder)"))
        #expect(!closed.out.contains("there is none yet"))
        // The folder itself may be entered, the files in it may not be read.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
        let open = try await Program.run(nobody, executable: Self.setpriv)
        #expect(open.code == 77, "\(open.out)\(open.err)")
        #expect(!open.out.contains("damaged:"))
    }
}
