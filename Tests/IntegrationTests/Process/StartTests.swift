import BelfryCore
import BelfryServer
import BelfryTestSupport
import BelfryWeChatSimulator
import Foundation
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A server that cannot start says why and what to do, and harms nothing.
@Suite("Servers that cannot start", .serialized)
struct StartTests {
    @Test("a second server on the same folder ends with 75 and names the folder; the first goes on")
    func secondServer() async throws {
        try await World.with(clock: SystemClock(), flow: World.greeting(after: 1)) { world in
            let first = try await world.start()
            let second = try Program(world.serve())
            #expect(try await second.ended() == 75)
            #expect(second.err.contains(world.path))
            #expect(second.err.contains("in use"))
            let person = try await world.follower()
            try await eventually("the message is seen") { !world.seen(person).isEmpty }
            first.signal(SIGTERM)
            #expect(try await first.ended() == 0)
        }
    }

    @Test("a port in use ends with 73 and names the port; the folder is free again")
    func portInUse() async throws {
        try await World.with(clock: SystemClock()) { world in
            let port = world.server.port
            let server = try Program(
                ["serve", "--data-folder", world.path, "--http-port", "\(port)"]
            )
            #expect(try await server.ended() == 73)
            #expect(server.err.contains("127.0.0.1:\(port) is in use"))
            #expect(server.err.contains("--http-port"))
            let other = try await world.start()
            other.signal(SIGTERM)
            #expect(try await other.ended() == 0)
        }
    }

    @Test("a folder that cannot be made ends with 73 and says what to do")
    func impossibleFolder() async throws {
        let folder = TemporaryFolder(isMade: false)
        try Data().write(to: URL(filePath: folder.path))
        let server = try Program(["serve", "--data-folder", folder.path + "/data"])
        #expect(try await server.ended() == 73)
        #expect(server.err.contains("The data folder \(folder.path)/data cannot be made"))
        #expect(server.err.contains("Not a directory") && !server.err.contains("NSCocoa"))
    }

    private static let wrongSettings: [([String], code: Int32, says: [String])] = [
        (["--http-host", "no-such-host.invalid"], 78, ["http.host", "--http-host"]),
        (["--http-host", "[::1]"], 78, ["http.host", "without brackets"]),
        (["--http-host", "192.0.2.1"], 78, ["http.host", "no address of this machine"]),
        (["--http-host", ""], 78, ["http.host must not be empty"]),
        (["--secret-key", "abc"], 78, ["secret.key", "base64"]),
        (["--secret-key-file", "/tmp"], 78, ["secret.key-file", "Is a directory"]),
        (["--secret-key-file", "/no-such-folder/key"], 73, ["No such file"]),
        (["--config", "/no-such-file.yaml"], 78, ["--config", "No such file"]),
    ]

    @Test(
        "a start that fails names the setting and what to do, and leaves no new folder behind",
        arguments: wrongSettings
    )
    func wrongSetting(arguments: [String], code: Int32, says: [String]) async throws {
        let parent = TemporaryFolder(isMade: false)
        let data = parent.path + "/a/b"
        let common = ["serve", "--data-folder", data, "--http-port", "0", "--log-level", "error"]
        let server = try Program(common + arguments)
        #expect(try await server.ended() == code, "\(server.err)")
        for word in says { #expect(server.err.contains(word), "\(server.err)") }
        #expect(!server.err.contains("NSCocoa") && !server.err.contains("first API key"))
        #expect(!FileManager.default.fileExists(atPath: parent.path + "/a"))
    }

    @Test("a folder that held something before is left as it was found")
    func keepsWhatWasThere() async throws {
        let folder = TemporaryFolder(isMade: false)
        let media = folder.path + "/media"
        try FileManager.default.createDirectory(
            atPath: media,
            withIntermediateDirectories: true
        )
        let server = try Program(
            ["serve", "--data-folder", folder.path, "--http-host", "no-such-host.invalid"]
        )
        #expect(try await server.ended() == 78)
        #expect(FileManager.default.fileExists(atPath: media))
        #expect(FileManager.default.fileExists(atPath: folder.path + "/admin.key"))
    }

    @Test("beside a first key that is there already none is made: nobody would have it")
    func firstKey() async throws {
        let folder = TemporaryFolder(isMade: false)
        let admin = folder.path + "/admin.key"
        try FileManager.default.createDirectory(
            atPath: folder.path,
            withIntermediateDirectories: true
        )
        try Data().write(to: URL(filePath: admin))
        let arguments = ["serve", "--data-folder", folder.path, "--http-port", "0"]
        let refused = try Program(arguments)
        #expect(try await refused.ended() == 65)
        #expect(refused.err.contains("no account and no API key, but \(admin) is there"))
        try FileManager.default.removeItem(atPath: admin)
        let server = try Program(arguments)
        try await eventually("it starts") { server.out.contains("http://") }
        #expect(FileManager.default.fileExists(atPath: admin))
        server.signal(SIGTERM)
        #expect(try await server.ended() == 0)
    }

    /// Root may write everywhere, so the server has to run as somebody else there.
    private static let asNobody: [String]? = {
        guard getuid() == 0 else { return [] }
        let setpriv = "/usr/bin/setpriv"
        guard FileManager.default.isExecutableFile(atPath: setpriv) else { return nil }
        return [setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    }()

    @Test(
        "a read-only folder ends with 73 and says what to do",
        .enabled(if: asNobody != nil, "root may write anywhere, and setpriv is missing")
    )
    func readOnly() async throws {
        let folder = TemporaryFolder(isMade: false)
        try FileManager.default.createDirectory(
            atPath: folder.path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o555]
        )
        let server = try Program(
            ["serve", "--data-folder", folder.path, "--http-port", "0"],
            wrapper: Self.asNobody ?? []
        )
        #expect(try await server.ended() == 73)
        #expect(server.err.contains("The data folder \(folder.path) cannot be written"))
    }

    @Test(
        "a journal with a flipped bit in the middle is refused with file and byte, and not changed"
    )
    func corruptJournal() async throws {
        try await World.with(clock: SystemClock(), flow: World.greeting(after: 60)) { world in
            let server = try await world.start()
            for _ in 0..<8 { _ = try await world.follower() }
            try await world.crash(server)
            let folder = URL(filePath: world.path + "/timeline")
            // Of the lanes the one with most in it: half of it is not its last record.
            func size(_ file: String) -> Int {
                FileManager.default.contents(atPath: folder.path() + "/" + file)?.count ?? 0
            }
            let file = try #require(
                try FileManager.default.subpathsOfDirectory(atPath: folder.path())
                    .filter { $0.contains("journal") }.max { size($0) < size($1) }
            )
            let url = folder.appending(path: file)
            var bytes = try Data(contentsOf: url)
            let used = try #require(bytes.lastIndex { $0 != 0 })
            bytes[used / 2] ^= 0x10
            try bytes.write(to: url)

            let again = try Program(world.serve())
            #expect(try await again.ended() == 65)
            #expect(again.err.contains("\(file), byte "))
            #expect(try Data(contentsOf: url) == bytes)
        }
    }

    @Test("records whose timeline is gone are not served as if nothing had been pending")
    func lostTimeline() async throws {
        try await World.with(clock: SystemClock(), flow: World.greeting(after: 60)) { world in
            let server = try await world.start()
            _ = try await world.follower()
            try await world.crash(server)
            try FileManager.default.removeItem(atPath: world.path + "/timeline")
            let again = try Program(world.serve())
            #expect(try await again.ended() == 65)
            #expect(again.err.contains("the folder timeline is not"))
            #expect(!FileManager.default.fileExists(atPath: world.path + "/timeline"))
        }
    }
}
