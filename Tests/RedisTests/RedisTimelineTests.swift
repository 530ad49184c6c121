import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import NIOPosix
import Synchronization
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

@Suite("The timeline on Redis", .serialized)
struct RedisTimelineTests {
    private let clock = ManualClock()

    @Test("refuses pushes when memory is full, while claims, settlements and cancels go on")
    func full() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock))
        let outcomes = try await timeline.schedule((0..<20).map { push($0, in: 0) })
        #expect(outcomes.allSatisfy { $0 == .accepted })
        let node = await timeline.servers.all()[0]
        _ = try await node.ask([RedisCommand("CONFIG", "SET", "maxmemory", "1")])
        let error = await #expect(throws: TimelineError.self) {
            try await timeline.schedule([push(20, in: 0)])
        }
        #expect(error?.code == .full)
        #expect(try await timeline.cancel([push(0, in: 0).id]) == [.cancelled])
        let claims = try await timeline.claim(limit: 100, lease: .seconds(30)).claims
        #expect(claims.count == 19)
        let retry = clock.now() + .seconds(5)
        #expect(
            try await timeline.settle([
                Settlement(token: claims[0].token, result: .retry(at: retry))
            ])
                == [.settled]
        )
        let rest = claims.dropFirst().map { Settlement(token: $0.token, result: .done) }
        #expect(try await timeline.settle(rest).allSatisfy { $0 == .settled })
        _ = try await node.ask([RedisCommand("CONFIG", "SET", "maxmemory", "0")])
        #expect(try await timeline.find([push(20, in: 0).id]) == [nil])
        #expect(try await timeline.counts().scheduled == 1)
        await timeline.close()
    }

    @Test("claims thousands of pushes once each, in order, and leaves nothing behind")
    func thousands() async throws {
        let server = try RedisProcess(["--appendfsync", "no"])
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock), shards: 2)
        var random = SplitMix64(seed: 7)
        let pushes = (0..<12_000).map { push($0, in: .random(in: 0...600, using: &random)) }
        for start in stride(from: 0, to: pushes.count, by: 1000) {
            let outcomes = try await timeline.schedule(Array(pushes[start..<start + 1000]))
            #expect(outcomes.allSatisfy { $0 == .accepted })
        }
        let gone = pushes.indices.filter { $0 % 5 == 0 }.map { pushes[$0].id }
        #expect(try await timeline.cancel(gone).allSatisfy { $0 == .cancelled })
        #expect(try await timeline.counts().scheduled == 9600)
        clock.advance(by: .seconds(600))
        var seen: [PushID: Timestamp] = [:]
        while true {
            let batch = try await timeline.claim(limit: 500, lease: .seconds(30))
            if batch.claims.isEmpty { break }
            // Nothing moves up a band meanwhile: the clock stands still.
            #expect(batch.claims.map(\.push.due) == batch.claims.map(\.push.due).sorted())
            for claim in batch.claims { seen[claim.push.id] = claim.push.due }
            let ends = batch.claims.map { Settlement(token: $0.token, result: .done) }
            #expect(try await timeline.settle(ends).allSatisfy { $0 == .settled })
        }
        let wanted = pushes.filter { !gone.contains($0.id) }
        #expect(seen == Dictionary(uniqueKeysWithValues: wanted.map { ($0.id, $0.due) }))
        #expect(try await timeline.counts() == TimelineCounts())
        let keys = try await timeline.servers.all()[0].ask([RedisCommand("KEYS", "*")])[0]
        let names = (keys.elements ?? []).compactMap(\.string).filter {
            !$0.hasSuffix(":m") && !$0.hasSuffix(":layout") && !$0.hasSuffix(":o")
        }
        #expect(names == [])
        await timeline.close()
    }

    @Test("lends what goes first of all shards, however much of it lies in one")
    func unevenShards() async throws {
        let server = try RedisProcess(["--appendfsync", "no"])
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock), shards: 4)
        // One person has three hundred pushes that were due before those of all others.
        var pushes = (0..<300).map { push($0 * 97, in: -3600 + Int64($0)) }
        pushes += (0..<300).filter { $0 % 97 != 0 }.map { push($0, in: -Int64($0 % 60)) }
        for start in stride(from: 0, to: pushes.count, by: 100) {
            try await timeline.schedule(Array(pushes[start..<min(start + 100, pushes.count)]))
        }
        var dues: [Timestamp] = []
        while dues.count < pushes.count {
            let claims = try await timeline.claim(limit: 130, lease: .seconds(30)).claims
            try #require(!claims.isEmpty)
            dues += claims.map(\.push.due)
        }
        #expect(dues == pushes.map(\.due).sorted())
        await timeline.close()
    }

    @Test(
        "where much is claimed at once, bands go first across shards, and what is lent is sorted"
    )
    func chunksOfShards() async throws {
        let server = try RedisProcess(["--appendfsync", "no"])
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock), shards: 4)
        var pushes = (0..<2400).map { push($0, in: -Int64($0 % 59)) }
        for index in pushes.indices where index % 4 == 3 { pushes[index].priority = .high }
        for start in stride(from: 0, to: pushes.count, by: 400) {
            try await timeline.schedule(Array(pushes[start..<start + 400]))
        }
        // The first takes even shares. From then on more is wanted of each than a chunk holds.
        var claims = try await timeline.claim(limit: 400, lease: .seconds(300)).claims
        #expect(timeline.leavesBehind)
        var left = pushes.count { $0.priority == .high } - claims.count { $0.push.isHigh }
        while claims.count < pushes.count {
            let batch = try await timeline.claim(limit: 400, lease: .seconds(300)).claims
            try #require(!batch.isEmpty)
            let high = batch.count { $0.push.isHigh }
            #expect(high == batch.count || left == high)
            left -= high
            claims += batch
        }
        #expect(Set(claims.map(\.push.id)) == Set(pushes.map(\.id)))
        await timeline.close()
    }

    @Test(
        "takes even shares of shards that keep up, and asks first again as soon as something is left behind"
    )
    func evenShares() async throws {
        let server = try RedisProcess(["--appendfsync", "no"])
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock), shards: 4)
        #expect(timeline.leavesBehind)
        for round in 0..<4 {
            let pushes = (0..<60).map { push(round * 60 + $0, in: -Int64($0 * 7 % 31)) }
            try await timeline.schedule(pushes)
            let claims = try await timeline.claim(limit: 200, lease: .seconds(300)).claims
            #expect(claims.map(\.push.due) == pushes.map(\.due).sorted())
            #expect(!timeline.leavesBehind)
        }
        // More than anybody takes at once: from the second claim on, the best of all shards.
        let crowd = (1000..<1600).map { push($0, in: -Int64($0 % 59)) }
        try await timeline.schedule(crowd)
        var dues = try await timeline.claim(limit: 100, lease: .seconds(300)).claims.map(\.push.due)
        #expect(timeline.leavesBehind)
        var rest: [Timestamp] = []
        while dues.count + rest.count < crowd.count {
            let claims = try await timeline.claim(limit: 100, lease: .seconds(300)).claims
            try #require(!claims.isEmpty)
            rest += claims.map(\.push.due)
        }
        #expect(rest == rest.sorted())
        dues += rest
        #expect(dues.sorted() == crowd.map(\.due).sorted())
        await timeline.close()
    }

    @Test(
        "of what was claimed together, each lease ends by itself: some are extended, some done, some cancelled, some replaced"
    )
    func batches() async throws {
        let server = try RedisProcess(["--appendfsync", "no"])
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock), shards: 1)
        try await timeline.schedule((0..<12).map { push($0, in: 0) })
        let claims = try await timeline.claim(limit: 12, lease: .seconds(30)).claims
        let done = claims.map { Settlement(token: $0.token, result: .done) }
        // In another order than they were lent in.
        #expect(try await timeline.settle([done[5], done[2]]) == [.settled, .settled])
        clock.advance(by: .seconds(20))
        let extended = try await timeline.extend(claims[6..<9].map(\.token), lease: .seconds(30))
        #expect(extended == [.extended, .extended, .extended])
        #expect(
            try await timeline.cancel([claims[7].push.id, claims[0].push.id]) == [
                .inFlight, .inFlight,
            ]
        )
        try await timeline.schedule([claims[8].push, claims[1].push])
        #expect(try await timeline.counts().inFlight == 10)
        clock.advance(by: .seconds(15))
        // Of those that were not extended one was cancelled, and one is there anew.
        let again = try await timeline.claim(limit: 12, lease: .seconds(30)).claims
        #expect(Set(again.map(\.push.id)) == Set([1, 3, 4, 9, 10, 11].map { claims[$0].push.id }))
        #expect(
            try await timeline.settle(done) == [
                .stale, .stale, .stale, .stale, .stale, .stale, .settled, .settledCancelled,
                .settledParked,
                .stale, .stale, .stale,
            ]
        )
        let ends = again.map { Settlement(token: $0.token, result: .done) }
        #expect(
            try await timeline.settle(ends + [ends[0]]).map { $0 == .settled } == Array(
                repeating: true,
                count: 6
            ) + [false]
        )
        let last = try await timeline.claim(limit: 12, lease: .seconds(30)).claims
        #expect(last.map(\.push.id) == [claims[8].push.id])
        #expect(
            try await timeline.settle([Settlement(token: last[0].token, result: .done)]) == [
                .settled
            ]
        )
        #expect(try await timeline.counts() == TimelineCounts())
        await timeline.close()
    }

    @Test("keeps many pushes of one moment in the order of acceptance, retries among them")
    func oneMoment() async throws {
        let server = try RedisProcess(["--appendfsync", "no"])
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock), shards: 1)
        let due = clock.now() + .seconds(5)
        try await timeline.schedule((0..<50).map { push($0, in: 0) })
        let early = try await timeline.claim(limit: 50, lease: .seconds(30)).claims
        try await timeline.schedule((50..<700).map { push($0, in: 5) })
        let holds = early.map { Settlement(token: $0.token, result: .hold(until: due)) }
        #expect(try await timeline.settle(holds).allSatisfy { $0 == .settled })
        clock.advance(by: .seconds(5))
        let claims = try await timeline.claim(limit: 1000, lease: .seconds(30)).claims
        #expect(claims.map(\.sequence) == claims.map(\.sequence).sorted())
        #expect(claims.count == 700)
        await timeline.close()
    }

    @Test("gives back what a process held when it is there again, and nobody else's")
    func owners() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let mine = try await RedisTimeline.ready(server, .given(clock), owner: "one")
        let other = try await RedisTimeline.ready(server, .given(clock), owner: "two")
        try await mine.schedule((0..<10).map { push($0, in: 0) })
        let claims = try await mine.claim(limit: 4, lease: .seconds(30)).claims
        let others = try await other.claim(limit: 6, lease: .seconds(30)).claims
        #expect(claims.count + others.count == 10)
        let again = try await RedisTimeline.ready(server, .given(clock), owner: "one")
        let back = try await again.claim(limit: 10, lease: .seconds(30)).claims
        #expect(Set(back.map(\.push.id)) == Set(claims.map(\.push.id)))
        let end = Settlement(token: claims[0].token, result: .done)
        #expect(try await mine.settle([end]) == [.stale])
        for timeline in [mine, other, again] { await timeline.close() }
    }

    @Test("lends every push once to processes that work at the same time")
    func together() async throws {
        let server = try RedisProcess(["--appendfsync", "no"])
        defer { server.kill() }
        let first = try await RedisTimeline.ready(server, .given(clock), owner: "0")
        let count = Count()
        let wanted = Set((0..<3000).map { push($0, in: 0).id })
        let seen = try await withThrowingTaskGroup(of: [PushID].self) { group in
            for worker in 1...4 {
                let timeline = try await RedisTimeline.ready(
                    server,
                    .given(clock),
                    owner: "\(worker)"
                )
                group.addTask { try await work(on: timeline, until: 3000, count) }
            }
            for start in stride(from: 0, to: 3000, by: 100) {
                try await first.schedule((start..<start + 100).map { push($0, in: 0) })
            }
            var seen: [PushID] = []
            for try await some in group { seen += some }
            return seen
        }
        #expect(seen.count == wanted.count)
        #expect(Set(seen) == wanted)
        #expect(try await first.counts() == TimelineCounts())
        await first.close()
    }

    /// Claims and settles until all who do so have got so many pushes.
    private func work(on timeline: RedisTimeline, until total: Int, _ count: Count) async throws
        -> [PushID]
    {
        var seen: [PushID] = []
        while count.value.load(ordering: .relaxed) < total {
            let claims = try await timeline.claim(limit: 50, lease: .seconds(60)).claims
            let ends = claims.map { Settlement(token: $0.token, result: .done) }
            #expect(try await timeline.settle(ends).allSatisfy { $0 == .settled })
            seen += claims.map(\.push.id)
            count.value.add(claims.count, ordering: .relaxed)
        }
        await timeline.close()
        return seen
    }

    private final class Count: Sendable { let value = Atomic(0) }

    @Test("wakes a worker of another process when something earlier is put")
    func hints() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let mine = try await RedisTimeline.ready(server, .given(clock), owner: "one")
        let other = try await RedisTimeline.ready(server, .given(clock), owner: "two")
        await mine.listens()
        let alarm = mine.alarm
        let due = clock.now() + .seconds(60)
        try await other.schedule([push(1, in: 60)])
        // Returns because of the hint: this process has put nothing, and its clock stands still.
        try await alarm.wait(nextDue: nil)
        #expect(mine.book.nextDue == due)
        clock.advance(by: .seconds(60))
        #expect(try await mine.claim(limit: 1, lease: .seconds(30)).claims.count == 1)
        for timeline in [mine, other] { await timeline.close() }
    }

    @Test("asks the server nothing while nothing is due")
    func idle() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock))
        await timeline.listens()
        try await timeline.schedule([push(1, in: 3600)])
        let node = await timeline.servers.all()[0]
        // The first look of who listens may still be under way: only the question itself is counted then.
        var asked = try await commands(node)
        while true {
            let again = try await commands(node)
            if again == asked + 1 { break }
            asked = again
        }
        let due = clock.now() + .seconds(3600)
        let waiting = Task { [alarm = timeline.alarm] in try await alarm.wait(nextDue: due) }
        while clock.sleepers == 0 { await Task.yield() }
        let before = try await commands(node)
        clock.advance(by: .seconds(3599))
        for _ in 0..<1000 { await Task.yield() }
        #expect(try await commands(node) == before + 1)
        clock.advance(by: .seconds(1))
        try await waiting.value
        #expect(try await timeline.claim(limit: 1, lease: .seconds(30)).claims.count == 1)
        await timeline.close()
    }

    private func commands(_ node: RedisNode) async throws -> Int {
        let info = try await node.ask([RedisCommand("INFO", "stats")])[0].string ?? ""
        let name = "total_commands_processed:"
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix(name) }
        return try #require(line.flatMap { Int($0.dropFirst(name.count)) })
    }

    @Test("loads its scripts again where a server has forgotten them")
    func scripts() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock))
        let node = await timeline.servers.all()[0]
        _ = try await node.ask([RedisCommand("SCRIPT", "FLUSH")])
        let outcomes = try await timeline.schedule((0..<50).map { push($0, in: 0) })
        #expect(outcomes.allSatisfy { $0 == .accepted })
        await timeline.close()
    }

    @Test("counts nothing as accepted that the replicas do not confirm")
    func replicas() async throws {
        let primary = try RedisProcess()
        defer { primary.kill() }
        let replica = try RedisProcess(["--replicaof", "127.0.0.1", "\(primary.port)"])
        defer { replica.kill() }
        try await primary.answers()
        try await replica.follows()
        let timeline = try await RedisTimeline.ready(primary, .given(clock), replicas: 1)
        #expect(try await timeline.schedule([push(1, in: 5)]) == [.accepted])
        // The other server has it already, and could take over.
        try await replica.command("REPLICAOF", "NO", "ONE")
        let other = try await RedisTimeline.ready(replica, .given(clock))
        #expect(try await other.find([push(1, in: 5).id])[0]?.push == push(1, in: 5))
        await other.close()
        let error = await #expect(throws: TimelineError.self) {
            try await timeline.schedule([push(2, in: 5)])
        }
        #expect(error?.code == .io)
        #expect(error?.message.contains("0 of 1 replicas") == true)
        await timeline.close()
    }

    @Test("takes the server's own time in production, and is never early by it")
    func serverTime() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server)
        let due = SystemClock().now() + .milliseconds(300)
        var push = push(1, in: 0)
        push.due = due
        try await timeline.schedule([push])
        #expect(try await timeline.claim(limit: 1, lease: .seconds(30)).claims.isEmpty)
        try await timeline.alarm.wait(nextDue: due)
        let batch = try await timeline.claim(limit: 1, lease: .seconds(30))
        #expect(batch.claims.map(\.push) == [push])
        #expect(batch.now >= due)
        await timeline.close()
    }

    @Test("takes at most 300 bytes for a pending push with 120 bytes of payload")
    func memory() async throws {
        let server = try RedisProcess(["--appendfsync", "no", "--appendonly", "no"])
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock), shards: 16)
        let node = await timeline.servers.all()[0]
        let before = try await used(node)
        let total = 60_000
        var random = SplitMix64(seed: 3)
        for start in stride(from: 0, to: total, by: 2000) {
            let pushes = (start..<start + 2000).map {
                Push(
                    id: PushID("welcome/\(1_000_000_000 + $0)"),
                    recipient: Recipient(
                        account: "shop",
                        person: "oABCDEFGHIJKLMNOPQ\(1_000_000_000 + $0)"
                    ),
                    due: clock.now()
                        + .milliseconds(.random(in: 0...7_776_000_000, using: &random)),
                    channel: "wechat",
                    payload: (0..<120).map { _ in UInt8.random(in: 0...255, using: &random) }
                )
            }
            try await timeline.schedule(pushes)
        }
        let each = Double(try await used(node) - before) / Double(total)
        print("Redis: \(each) bytes for a pending push")
        #expect(each <= 300)
        await timeline.close()
    }

    private func used(_ node: RedisNode) async throws -> Int {
        let info = try await node.ask([RedisCommand("INFO", "memory")])[0].string ?? ""
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") }
        return try #require(line.flatMap { Int($0.dropFirst(12)) })
    }

    private func push(_ number: Int, in seconds: Int64) -> Push {
        Push(
            id: PushID("push/\(number)"),
            recipient: Recipient(account: "a", person: "person \(number % 97)"),
            due: clock.now() + .seconds(seconds),
            channel: "log",
            payload: Array("hello \(number)".utf8)
        )
    }
}

extension RedisTimeline {
    /// Returns when the server knows that this process listens to hints.
    func listens() async {
        for _ in 0..<1000 {
            let node = await servers.all()[0]
            let reply = try? await node.ask([RedisCommand("PUBSUB", "NUMSUB", hints)])[0]
            if reply?.elements?.last?.number ?? 0 > 0 { return }
        }
    }
}

extension Push {
    fileprivate var isHigh: Bool { priority == .high }
}
