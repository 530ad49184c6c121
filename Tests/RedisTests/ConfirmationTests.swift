import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

/// By what the servers themselves count, and by what they have when the others are gone.
@Suite("Who must have what was accepted, on Redis", .serialized)
struct ConfirmationTests {
    private let clock = ManualClock()

    @Test("in memory is asked by WAIT, once for each call that promises something")
    func inMemory() async throws {
        let pair = try await Pair()
        let timeline = try await open(pair.primary, onDisk: false)
        // The scripts are loaded by then.
        try await promise(with: timeline)
        try await pair.primary.command("CONFIG", "RESETSTAT")
        try await promise(with: timeline)
        #expect(try await pair.primary.calls(of: "wait") == 3)
        #expect(try await pair.primary.calls(of: "waitaof") == 0)
        await timeline.close()
    }

    @Test("on disk is asked by WAITAOF; a server that does not know it is refused")
    func onDisk() async throws {
        let pair = try await Pair()
        guard try await pair.primary.knows("WAITAOF") else {
            let refusal = await #expect(throws: TimelineError.self) {
                try await open(pair.primary, onDisk: true)
            }
            #expect(refusal?.code == .invalid)
            #expect(refusal?.message.contains("WAITAOF, which Redis has from 7.2 on") == true)
            return
        }
        let timeline = try await open(pair.primary, onDisk: true)
        try await promise(with: timeline)
        try await pair.primary.command("CONFIG", "RESETSTAT")
        try await promise(with: timeline)
        #expect(try await pair.primary.calls(of: "waitaof") == 3)
        #expect(try await pair.primary.calls(of: "wait") == 0)
        #expect(try await timeline.schedule([push("kept")]) == [.accepted])
        await timeline.close()
        // Both die; the replica takes over with the file that it said was synced.
        for server in [pair.primary, pair.replica] { server.kill() }
        try pair.replica.restart()
        try await pair.replica.answers()
        try await pair.replica.command("REPLICAOF", "NO", "ONE")
        let other = try await RedisTimeline.ready(pair.replica, .given(clock), shards: 1)
        #expect(try await other.find(["kept", "first"]).map { $0?.push.id } == ["kept", nil])
        await other.close()
    }

    @Test("a replica that has it in memory alone does not do, nor a file that nobody syncs")
    func notOnDisk() async throws {
        let pair = try await Pair(replica: ["--appendonly", "no"])
        guard try await pair.primary.knows("WAITAOF") else { return }
        let timeline = try await open(pair.primary, onDisk: true, patience: .milliseconds(300))
        await refuses(timeline, "first", "0 of 1 replicas")
        await timeline.close()
        let inMemory = try await open(pair.primary, onDisk: false)
        #expect(try await inMemory.schedule([push("second")]) == [.accepted])
        await inMemory.close()

        let lazy = try RedisProcess(["--appendfsync", "no"])
        try await lazy.answers()
        let alone = try await open(
            lazy,
            onDisk: true,
            replicas: 0,
            patience: .milliseconds(300)
        )
        await refuses(alone, "third", "the server's file does not have it")
        await alone.close()

        let forgetful = try RedisProcess(["--appendonly", "no"])
        try await forgetful.answers()
        let refusal = await #expect(throws: TimelineError.self) {
            try await open(forgetful, onDisk: true, replicas: 0)
        }
        #expect(refusal?.code == .invalid)
        #expect(refusal?.message.contains("appendonly yes") == true, "\(refusal?.message ?? "")")
        for server in [lazy, forgetful] { server.remove() }
    }

    private func refuses(_ timeline: RedisTimeline, _ id: PushID, _ words: String) async {
        let error = await #expect(throws: TimelineError.self) {
            try await timeline.schedule([push(id)])
        }
        #expect(error?.code == .io)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    /// A push accepted, one cancelled, one settled: three calls that promise something, and others that do not.
    private func promise(with timeline: RedisTimeline) async throws {
        #expect(
            try await timeline.schedule([push("first"), push("second")]) == [.accepted, .accepted]
        )
        #expect(try await timeline.cancel(["second"]) == [.cancelled])
        let claims = try await timeline.claim(limit: 10, lease: .seconds(30)).claims
        #expect(claims.map(\.push.id) == ["first"])
        let end = Settlement(token: claims[0].token, result: .done)
        #expect(try await timeline.settle([end]) == [.settled])
        #expect(try await timeline.counts() == TimelineCounts())
    }

    private func push(_ id: PushID) -> Push {
        Push(
            id: id,
            recipient: Recipient(account: "a", person: "o"),
            due: clock.now(),
            channel: "log",
            payload: []
        )
    }

    /// - Parameter patience: a machine that is busy with other tests may keep a replica waiting for its disk.
    private func open(
        _ server: RedisProcess,
        onDisk: Bool,
        replicas: Int = 1,
        patience: Duration = .seconds(30)
    ) async throws -> RedisTimeline {
        var configuration = RedisConfiguration(owner: "test")
        // All in one shard: a call asks one server once.
        configuration.shards = 1
        configuration.confirmation.replicas = replicas
        configuration.confirmation.onDisk = onDisk
        configuration.confirmation.timeout = patience
        configuration.commandTimeout = .seconds(60)
        return try await RedisTimeline.open(
            try RedisAddress(server.address),
            configuration: configuration,
            clock: .given(clock),
            seed: 1
        )
    }
}

/// A primary and its replica; they go with it.
private final class Pair {
    let primary: RedisProcess
    let replica: RedisProcess

    /// - Parameter arguments: options of the replica.
    init(replica arguments: [String] = []) async throws {
        primary = try RedisProcess()
        replica = try RedisProcess(
            ["--replicaof", "127.0.0.1", "\(primary.port)"] + arguments
        )
        try await primary.answers()
        try await replica.follows()
        // Until its first file is whole, a replica says of nothing that it is synced.
        try await replica.hasWritten()
    }

    deinit { for server in [primary, replica] { server.remove() } }
}

extension RedisProcess {
    /// Whether the server has a command.
    func knows(_ name: String) async throws -> Bool {
        try await command("COMMAND", "INFO", name).lowercased().contains(name.lowercased())
    }

    /// Waits until no append-only file is being made.
    fileprivate func hasWritten() async throws {
        let wanted = ["aof_rewrite_in_progress:0", "aof_rewrite_scheduled:0"]
        for _ in 0..<1000 {
            let said = try await command("INFO", "persistence")
            if wanted.allSatisfy(said.contains) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// How often a command was given, as the server counts.
    fileprivate func calls(of name: String) async throws -> Int {
        let stats = try await command("INFO", "commandstats")
        let line = stats.split(whereSeparator: \.isNewline).first {
            $0.hasPrefix("cmdstat_\(name):calls=")
        }
        return line.flatMap { Int($0.drop { $0 != "=" }.dropFirst().prefix { $0.isNumber }) } ?? 0
    }
}
