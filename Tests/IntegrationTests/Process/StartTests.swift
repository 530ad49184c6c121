import BelfryCore
import BelfryServer
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
        let folder = TemporaryFolder()
        try Data().write(to: URL(filePath: folder.path))
        let server = try Program(["serve", "--data-folder", folder.path + "/data"])
        #expect(try await server.ended() == 73)
        #expect(server.err.contains("The data folder \(folder.path)/data cannot be made"))
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
        let folder = TemporaryFolder()
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
            for _ in 0..<5 { _ = try await world.follower() }
            try await world.crash(server)
            let folder = URL(filePath: world.path + "/timeline")
            let file = try #require(
                try FileManager.default.contentsOfDirectory(atPath: folder.path())
                    .filter { $0.hasPrefix("journal") }.sorted().last
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
}
