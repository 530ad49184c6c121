import BelfryCore
import BelfryJournal
import BelfryRedis
import BelfryRedisProcess
import BelfrySimulation
import Foundation
import Testing

/// The same life on two engines: whatever is asked, both must say the same. The embedded one has been through thousands of simulated lives.
@Suite("The timelines on Redis and on disk say the same", .serialized)
struct TwoEnginesTests {
    @Test("whatever is asked of them, by seed", arguments: 1...12 as ClosedRange<UInt64>)
    func same(seed: UInt64) async throws {
        let redis = try RedisProcess(["--appendfsync", "no"])
        defer { redis.kill() }
        let folder = NSTemporaryDirectory() + "belfry-two-engines-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let clock = ManualClock()
        // With several shards the order is that of each shard: everything that is due is claimed at once then.
        let shards = seed % 2 == 0 ? 1 : 5
        let mine = try await RedisTimeline.ready(redis, .given(clock), shards: shards)
        let other = try await JournalTimeline.open(folder: folder, clock: clock)
        var life = TwinLife(
            mine: mine,
            other: other,
            clock: clock,
            seed: seed,
            ordered: shards == 1
        )
        for step in 0..<400 { try await life.act(step) }
        #expect(life.claimed > 100, "a life too short to prove anything")
        #expect(life.seen.isSuperset(of: [.accepted, .replaced, .parked, .merged]))
        await mine.close()
        await other.close()
    }

    @Test(
        "also after the server has lost its last changes, which were kept beside it, by seed",
        arguments: 1...8 as ClosedRange<UInt64>
    )
    func sameAfterLosses(seed: UInt64) async throws {
        let redis = try RedisProcess(["--appendfsync", "no"])
        defer { redis.remove() }
        let folder = NSTemporaryDirectory() + "belfry-two-engines-\(UUID())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let clock = ManualClock()
        let shards = seed % 2 == 0 ? 1 : 5
        let mine = try await RedisTimeline.ready(
            redis,
            .given(clock),
            shards: shards,
            intents: .on(folder: "\(folder)/intents")
        )
        let other = try await JournalTimeline.open(folder: "\(folder)/other", clock: clock)
        var life = TwinLife(mine: mine, other: other, clock: clock, seed: seed, ordered: false)
        // Whether a group takes another push depends on claims, and those are lost.
        life.merges = false
        for _ in 0..<4 {
            for step in 0..<20 { try await life.act(step) }
            try redis.keepFiles(in: "\(folder)/before")
            // The second time it also loses what was done again after the first.
            for _ in 0..<2 {
                for step in 0..<30 { try await life.act(step) }
                redis.kill()
                try redis.takeFiles(from: "\(folder)/before")
                try redis.restart()
                try await redis.answers()
                try await life.letGo()
            }
        }
        #expect(life.claimed > 50, "a life too short to prove anything")
        await mine.close()
        await other.close()
    }
}

/// Acts on two timelines and compares what they say.
private struct TwinLife {
    let mine: RedisTimeline
    let other: JournalTimeline
    let clock: ManualClock
    var random: SplitMix64
    let ordered: Bool
    var merges = true
    var claimed = 0
    var seen: Set<ScheduleOutcome> = []
    /// The two tokens of each claim that may still be held.
    private var held: [(mine: ClaimToken, other: ClaimToken)] = []

    init(
        mine: RedisTimeline,
        other: JournalTimeline,
        clock: ManualClock,
        seed: UInt64,
        ordered: Bool
    ) {
        (self.mine, self.other, self.clock, self.ordered) = (mine, other, clock, ordered)
        random = SplitMix64(seed: seed)
    }

    mutating func act(_ step: Int) async throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2: try await schedule(step)
        case 3: try await cancel(step)
        case 4, 5: try await claim(step)
        case 6: try await settle(step)
        case 7: try await extend(step)
        case 8: try await find(step)
        default: clock.advance(by: .seconds(.random(in: 0...20, using: &random)))
        }
        if step % 10 == 0 { try await look(step) }
    }

    private mutating func id() -> PushID { PushID("p\(Int.random(in: 0..<60, using: &random))") }

    private mutating func push(person: Int? = nil) -> Push {
        let number = person ?? Int.random(in: 0..<4, using: &random)
        let modes: [MergeRule.Mode?] = [nil, nil, nil, .newest, .collect]
        let mode = merges ? modes.randomElement(using: &random).flatMap { $0 } : nil
        let merge = mode.map {
            MergeRule(key: "k", grace: .seconds(5), maxWait: .seconds(12), mode: $0)
        }
        return Push(
            // An id keeps its person where people merge: two shards know nothing of each other's groups.
            id: merge == nil && person == nil ? id() : PushID("m\(number)/\(id())"),
            recipient: Recipient(account: "a\(number % 2)", person: "o\(number)"),
            due: clock.now() + .seconds(.random(in: -5...40, using: &random)),
            priority: Priority.allCases.randomElement(using: &random) ?? .normal,
            channel: "log",
            merge: merge,
            payload: withUnsafeBytes(of: random.next()) { Array($0) }
        )
    }

    private mutating func schedule(_ step: Int) async throws {
        let pushes = (0..<Int.random(in: 1...6, using: &random)).map { _ in push() }
        let said = try await mine.schedule(pushes)
        seen.formUnion(said)
        #expect(said == (try await other.schedule(pushes)), "step \(step)")
    }

    private mutating func cancel(_ step: Int) async throws {
        let ids = [id(), PushID("m\(Int.random(in: 0..<4, using: &random))/\(id())")]
        let said = try await mine.cancel(ids)
        #expect(said == (try await other.cancel(ids)), "step \(step)")
    }

    private mutating func find(_ step: Int) async throws {
        let ids = (0..<20).map { _ in id() }
        let here = try await mine.find(ids)
        for (a, b) in zip(here, try await other.find(ids)) {
            #expect(a?.push == b?.push && a?.state == b?.state, "step \(step)")
            #expect(a?.attempt == b?.attempt && a?.accepted == b?.accepted, "step \(step)")
        }
    }

    private mutating func claim(_ step: Int) async throws {
        let limit = ordered ? Int.random(in: 1...10, using: &random) : 1000
        let lease = Duration.seconds(.random(in: 5...30, using: &random))
        var here = try await mine.claim(limit: limit, lease: lease).claims
        var there = try await other.claim(limit: limit, lease: lease).claims
        if !ordered {
            here.sort { $0.push.id.text < $1.push.id.text }
            there.sort { $0.push.id.text < $1.push.id.text }
        }
        #expect(here.map(\.push) == there.map(\.push), "step \(step)")
        #expect(here.map(\.collected) == there.map(\.collected), "step \(step)")
        #expect(here.map(\.attempt) == there.map(\.attempt), "step \(step)")
        #expect(here.map(\.leaseEnds) == there.map(\.leaseEnds), "step \(step)")
        for (a, b) in zip(here, there) { held.append((a.token, b.token)) }
        claimed += here.count
    }

    private mutating func settle(_ step: Int) async throws {
        for _ in 0..<min(4, held.count) {
            let pair = held.remove(at: .random(in: held.indices, using: &random))
            let result = result()
            var successors: [Push] = []
            if Bool.random(using: &random), pair.mine.id.text.hasPrefix("m"),
                let person = pair.mine.id.text.dropFirst().first?.wholeNumberValue
            {
                successors = [push(person: person)]
                if Bool.random(using: &random) { successors[0].id = pair.mine.id }
            }
            let said = try await mine.settle([
                Settlement(token: pair.mine, result: result, successors: successors)
            ])
            let wanted = try await other.settle([
                Settlement(token: pair.other, result: result, successors: successors)
            ])
            #expect(said == wanted, "step \(step)")
        }
    }

    /// Forgets what is held, on one side because the server has forgotten it too, and finds the same pending on both when the leases are over.
    mutating func letGo() async throws {
        held = []
        clock.advance(by: .seconds(31))
        try await look(0)
        let ids = (0..<60).map { PushID("p\($0)") }
        let here = try await mine.find(ids)
        for (a, b) in zip(here, try await other.find(ids)) {
            #expect(a?.push == b?.push && a?.attempt == b?.attempt && a?.accepted == b?.accepted)
        }
    }

    private mutating func result() -> Settlement.Result {
        let later = clock.now() + .seconds(.random(in: 0...10, using: &random))
        return switch Int.random(in: 0..<4, using: &random) {
        case 0: .retry(at: later)
        case 1: .hold(until: later)
        case 2: .dead
        default: .done
        }
    }

    private mutating func extend(_ step: Int) async throws {
        guard let pair = held.randomElement(using: &random) else { return }
        let said = try await mine.extend([pair.mine], lease: .seconds(15))
        #expect(said == (try await other.extend([pair.other], lease: .seconds(15))), "step \(step)")
    }

    private func look(_ step: Int) async throws {
        let counts = try await mine.counts()
        #expect(counts == (try await other.counts()), "step \(step)")
        let next = try await mine.nextDue()
        #expect(next == (try await other.nextDue()), "step \(step)")
        let from = clock.now() - .seconds(60)
        let (to, width) = (from + .seconds(180), Duration.seconds(7))
        let load = try await mine.forecast(from: from, to: to, bucket: width)
        let wanted = try await other.forecast(from: from, to: to, bucket: width)
        #expect(load == wanted, "step \(step)")
    }
}

@Suite("A place on Redis that everything has been moved away from", .serialized)
struct RetiredTests {
    @Test("is closed only when nothing is pending there, and then refuses whoever still comes")
    func retires() async throws {
        let server = try RedisProcess()
        let clock = ManualClock()
        let one = try await RedisTimeline.ready(server, .given(clock), owner: "one")
        let other = try await RedisTimeline.ready(server, .given(clock), owner: "other")
        let push = Push(
            id: "a",
            recipient: Recipient(account: "a", person: "o1"),
            due: clock.now(),
            channel: "log",
            payload: []
        )
        try await one.schedule([push])
        #expect(try await !one.retire())
        #expect(try await one.cancel(["a"]) == [.cancelled])
        #expect(try await one.retire())
        await #expect(throws: TimelineError.self) { try await other.schedule([push]) }
        await #expect(throws: TimelineError.self) { _ = try await other.cancel(["a"]) }
        await one.close()
        await other.close()
        server.kill()
    }
}
