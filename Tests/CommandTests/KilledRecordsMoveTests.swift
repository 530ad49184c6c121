import BelfryClient
import BelfryPostgresProcess
import BelfryTestSupport
import Foundation
import Synchronization
import Testing

/// The server dies without a word while its records go from the data folder to PostgreSQL and back, and people go on writing.
@Suite("A server that is killed while its records move", .timeLimit(.minutes(10)))
struct KilledRecordsMoveTests {
    @Test(
        "has lost nothing of what it acknowledged, and one place counts, which doctor and status name",
        arguments: [[0, 30, 7, nil, 60, 150, 2, nil], [12, 90, nil, 1, 45, 200, nil, 5]]
    )
    func kills(after moments: [Int?]) async throws {
        let folder = NSTemporaryDirectory() + "belfry-killed-move-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let postgres = try await PostgresProcess()
        defer { postgres.remove() }
        var life = Life(folder, postgres.address())
        for (round, moment) in moments.enumerated() {
            try await life.live(round, killedAfter: moment)
        }
        #expect(life.switches >= 2 && life.writes.acknowledged.count > 50)
    }
}

/// One data folder, and where its records are.
private struct Life {
    enum Place: Hashable {
        case file
        /// A schema that no move has gone to before.
        case postgres(Int)
    }

    let folder: String
    let address: String
    var place = Place.file
    var switches = 0
    let writes = Writes()

    init(_ folder: String, _ address: String) {
        self.folder = folder
        self.address = address
    }

    /// Until it is killed, and then until everything has been found again.
    ///
    /// - Parameter moment: so many writes are acknowledged before that, from the beginning of the move on; `nil`: some after its end.
    mutating func live(_ round: Int, killedAfter moment: Int?) async throws {
        let target = place == .file ? Place.postgres(switches) : .file
        let server = try await RunningServer(folder: folder, arguments: flags(place, or: target))
        let client = try client(server)
        let crowd = Task { [writes] in await writes.make(by: client, round) }
        try await writes.grow(by: 5)
        try await client.call(
            .post,
            "/v1/records:move",
            body: JSON.of(["to": .string(target == .file ? "sqlite" : address)])
        )
        if moment == nil {
            try await eventually("the records have moved") {
                try await client.call(.get, "/v1/records")["move"].string == "moved"
            }
        }
        try await writes.grow(by: moment ?? 5)
        await server.kill()
        await crowd.value
        try await find(after: target, mustHaveMoved: moment == nil)
    }

    private mutating func find(after target: Place, mustHaveMoved: Bool) async throws {
        let old = try await doctor(place, target)
        let hasMoved = old.contains("the records have moved to")
        #expect(hasMoved || !mustHaveMoved, "\(old)")
        if hasMoved {
            let refused = try await Program.run(["serve"] + flags(place, or: target) + base)
            let word = place == .file ? "have moved to postgres://" : "are in \(folder)"
            #expect(refused.code == 78 && refused.err.contains(word), "\(refused.err)")
            try clear(place)
            place = target
            switches += 1
        }
        let server = try await RunningServer(folder: folder, arguments: flags(place, or: target))
        let client = try client(server)
        let status = try await client.call(.get, "/v1/records")
        let isPostgres = status["place"].string?.hasPrefix("postgres://") == true
        #expect(isPostgres == (place != .file), "\(status.text)")
        #expect(["none", "failed"].contains(status["move"].string), "\(status.text)")
        let accounts = try await client.call(.get, "/v1/accounts")["items"].array
        let lost = writes.acknowledged.subtracting(accounts.compactMap { $0["key"].string })
        #expect(lost.isEmpty)
        await server.stop()
    }

    private func doctor(_ place: Place, _ other: Place) async throws -> String {
        let flags = flags(place, or: other)
        var environment: [String: String] = [:]
        for (name, value) in zip(flags, flags.dropFirst()) where name.hasPrefix("--") {
            let key = name.dropFirst(2).replacingOccurrences(of: "-", with: "_").uppercased()
            environment["BELFRY_" + key] = value
        }
        let found = try await Program.run(["doctor", folder], environment: environment)
        #expect(found.code == 0, "\(found.out) \(found.err)")
        return found.out
    }

    private var base: [String] { ["--data-folder", folder, "--http-port", "0"] }

    private func client(_ server: RunningServer) throws -> APIClient {
        let key = try String(contentsOfFile: folder + "/admin.key", encoding: .utf8)
        return try APIClient(
            address: server.address,
            key: key.trimmingCharacters(in: .whitespacesAndNewlines)
        )
    }

    /// The schema's name is that of the place in PostgreSQL, which the records lie in or are to go to.
    private func flags(_ place: Place, or other: Place) -> [String] {
        var flags: [String] = []
        for case .postgres(let number) in Set([place, other]) {
            flags += ["--timeline-prefix", "life\(number)"]
        }
        return place == .file ? flags : flags + ["--records-url", address]
    }

    /// A move needs an empty place.
    private func clear(_ place: Place) throws {
        guard place == .file else { return }
        for end in ["", "-wal", "-shm"] {
            let file = folder + "/records.sqlite" + end
            guard FileManager.default.fileExists(atPath: file) else { continue }
            try FileManager.default.removeItem(atPath: file)
        }
    }
}

/// Accounts that two callers add, one after another, and those of them that the server has acknowledged.
private final class Writes: Sendable {
    private let keys = Mutex<Set<String>>([])

    var acknowledged: Set<String> { keys.withLock { $0 } }

    /// Until the server is gone.
    func make(by client: APIClient, _ round: Int) async {
        await withTaskGroup { group in
            for caller in 0..<2 {
                group.addTask {
                    var number = 0
                    while true {
                        let key = "a\(round)-\(caller)-\(number)"
                        do throws(ClientError) {
                            try await client.call(
                                .post,
                                "/v1/accounts",
                                body: JSON.of(["key": .string(key), "kind": "webhook"])
                            )
                            self.keys.withLock { _ = $0.insert(key) }
                        } catch {
                            guard case .refused = error else { return }
                        }
                        number += 1
                    }
                }
            }
        }
    }

    /// Waits until so many more have been acknowledged.
    func grow(by count: Int) async throws {
        let wanted = acknowledged.count + count
        try await eventually("\(count) writes are acknowledged") { acknowledged.count >= wanted }
    }
}
