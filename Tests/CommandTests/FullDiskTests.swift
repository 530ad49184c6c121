import Foundation
import Testing

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A file system of a few MiB, where the tests may mount one.
private struct SmallDisk {
    let path: String

    static func make(_ size: String) async throws -> SmallDisk? {
        let path = FileManager.default.temporaryDirectory.path() + "/disk-\(UUID())"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let mount = "/usr/bin/mount"
        guard FileManager.default.isExecutableFile(atPath: mount),
            try await Program.run(
                ["-t", "tmpfs", "-o", "size=\(size)", "tmpfs", path],
                executable: mount
            ).code == 0
        else {
            try FileManager.default.removeItem(atPath: path)
            return nil
        }
        return SmallDisk(path: path)
    }

    func fill() async throws {
        // Ends when nothing more can be written.
        _ = try await Program.run(
            ["-c", "cat /dev/zero > '\(path)/filler'"],
            executable: "/bin/sh"
        )
    }

    func empty() throws { try FileManager.default.removeItem(atPath: path + "/filler") }

    func remove() async throws {
        _ = try await Program.run(["-l", path], executable: "/usr/bin/umount")
        try FileManager.default.removeItem(atPath: path)
    }
}

@Suite("A server on a disk without room")
struct FullDiskTests {
    @Test(
        "is not ready and says why, ends what it has, is ready again with room, and leaves no half of a backup"
    )
    func full() async throws {
        guard let disk = try await SmallDisk.make("64m") else {
            // Nothing can be mounted here: the timeline alone is tested on a simulated disk.
            return
        }
        let server = try await RunningServer(folder: disk.path + "/data")
        _ = try await Program.run(
            ["account", "add", "shop", "--kind", "webhook"] + server.keyFile,
            environment: server.environment
        )
        #expect(try await server.schedule(id: "one").code == 0)
        #expect(try await ready(server) == "ready")
        try await disk.fill()
        #expect(try await ready(server) == "not_ready: disk")
        let copy = try await Program.run(
            ["backup", disk.path + "/copy"] + server.keyFile,
            environment: server.environment
        )
        #expect(copy.code == 69, "\(copy.out)\(copy.err)")
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: disk.path)) == [
                "data", "filler",
            ]
        )
        let found = try await Program.run(
            ["push", "find", "one"] + server.keyFile,
            environment: server.environment
        )
        #expect(found.code == 0)
        try disk.empty()
        #expect(try await ready(server) == "ready")
        let cancelled = try await Program.run(
            ["push", "cancel", "one"] + server.keyFile,
            environment: server.environment
        )
        #expect(cancelled.code == 0)
        await server.stop()
        try await disk.remove()
    }

    /// `/readyz` in a word, with the checks that failed.
    private func ready(_ server: RunningServer) async throws -> String {
        let url = try #require(URL(string: server.address + "/readyz"))
        let (data, _) = try await URLSession.shared.data(from: url)
        let answer = try JSONDecoder().decode(Readiness.self, from: data)
        let failed = answer.checks.filter { !$0.ok }.map(\.name)
        return failed.isEmpty
            ? answer.status : "\(answer.status): \(failed.joined(separator: ", "))"
    }

    private struct Readiness: Decodable {
        struct Check: Decodable {
            var name: String
            var ok: Bool
        }
        var status: String
        var checks: [Check]
    }
}
