import BelfryCore
import BelfryJournal
import BelfrySimulation
import Testing

/// Random lives of a timeline on a simulated disk, judged by a small model. The seed is the test's argument: a failure names it.
@Suite("The journal in a simulated life")
struct SimulatedLifeTests {
    @Test(
        "random calls, clock jumps and clean reopenings agree with the model",
        arguments: UInt64(0)..<60
    )
    func calls(seed: UInt64) async throws {
        var life = Life(seed: seed, cuts: false)
        try await life.run(steps: 150)
    }

    @Test(
        "after power cuts what was acknowledged is there, and nothing that was ended",
        arguments: UInt64(1000)..<1100
    )
    func powerCuts(seed: UInt64) async throws {
        var life = Life(seed: seed, cuts: true)
        try await life.run(steps: 120)
    }

    @Test(
        "spread over another number of lanes at every opening, and after power cuts, nothing is lost",
        arguments: UInt64(2000)..<2060
    )
    func spreading(seed: UInt64) async throws {
        var life = Life(seed: seed, cuts: seed % 2 == 0, spreads: true)
        try await life.run(steps: 120)
    }

    @Test(
        "a power cut at every disk operation of a life that is spread again and again loses nothing",
        arguments: UInt64(0)..<2
    )
    func everyOperationOfSpreading(seed: UInt64) async throws {
        var operation = 20
        while true {
            var life = Life(seed: seed, cuts: false, spreads: true)
            if try await life.run(steps: 25, cuttingPowerAt: operation) { break }
            operation += 3
        }
        #expect(operation > 100, "the life was too short to prove anything")
    }

    @Test(
        "a write that fails, at every disk operation of a life that is spread again and again, loses nothing",
        arguments: UInt64(0)..<3
    )
    func everyFailureOfSpreading(seed: UInt64) async throws {
        var operation = 20
        while true {
            var life = Life(seed: seed, cuts: false, spreads: true)
            let isThrough = try await life.run(steps: 25, failingAt: operation)
            if isThrough, life.disk.changes <= operation { break }
            operation += 2
        }
        #expect(operation > 100, "the life was too short to prove anything")
    }

    @Test("a power cut at every single disk operation loses nothing", arguments: UInt64(0)..<3)
    func everyOperation(seed: UInt64) async throws {
        var operation = 3
        while true {
            var life = Life(seed: seed, cuts: false)
            let survived = try await life.run(steps: 25, cuttingPowerAt: operation)
            if survived { break }
            operation += 1
        }
        #expect(operation > 40, "the life was too short to prove anything")
    }
}

private struct Known: Equatable {
    var payload: [UInt8]
    var due: Timestamp
    var attempt = 0
}

private struct Life {
    let seed: UInt64
    let cuts: Bool
    /// Over one to four lanes, by chance, at each opening. One recipient for each id then, and one push for each call: what several lanes accept of a call
    /// may be cut apart.
    let spreads: Bool
    var random: SplitMix64
    let clock = ManualClock()
    var disk = SimulatedDisk()
    /// What is pending by every acknowledgement.
    var model: [String: Known] = [:]
    /// Who holds what, by id.
    var held: [String: Claim] = [:]
    /// Held, and cancelled or overtaken: the model's entry, if any, is the newer version.
    var superseded: Set<String> = []
    var serial = 0

    init(seed: UInt64, cuts: Bool, spreads: Bool = false) {
        self.seed = seed
        self.cuts = cuts
        self.spreads = spreads
        random = SplitMix64(seed: seed)
    }

    var configuration: JournalConfiguration {
        var configuration = JournalConfiguration()
        configuration.checkpointBytes = [400, 3000, 1 << 30][Int(seed % 3)]
        configuration.nearWindow = .seconds(Int64(seed % 4) * 20)
        configuration.farWindow = configuration.nearWindow + .seconds(Int64(seed % 5) * 30)
        configuration.sliceBytes = [100, 1000, 1 << 20][Int(seed / 3 % 3)]
        configuration.blockBytes = 600
        configuration.headroomBytes = 4000
        configuration.reserveStepBytes = 4000
        return configuration
    }

    @discardableResult
    mutating func run(
        steps: Int,
        cuttingPowerAt cut: Int? = nil,
        failingAt failure: Int? = nil
    ) async throws -> Bool {
        let operation = cut ?? failure
        var timeline = try await open()
        if let cut { disk.cutPower(at: cut) }
        if let failure { disk.fail(at: failure, with: StorageError(.other, "input/output error")) }
        for step in 0..<steps {
            let before = model
            do {
                try await act(on: timeline, step)
                if Int.random(in: 0..<12, using: &random) == 0 {
                    attempted = model
                    timeline = try await reopen(timeline)
                    try await check(timeline, step)
                }
            } catch let error as TimelineError {
                // Only a power cut or a failed write may refuse anything here. The call at hand happened, or it did not.
                guard operation != nil, error.code == .io else { throw error }
                await timeline.close()
                try await checkAfterwards(before, powerCut: cut != nil)
                return false
            }
        }
        do {
            try await check(timeline, steps)
        } catch let error as TimelineError {
            // A look may read a run, too.
            guard operation != nil, error.code == .io else { throw error }
            attempted = model
            await timeline.close()
            try await checkAfterwards(model, powerCut: cut != nil)
            return false
        }
        await timeline.close()
        return true
    }

    private mutating func open() async throws -> JournalTimeline {
        var configuration = configuration
        guard spreads else {
            return try await JournalTimeline.open(
                disk: disk,
                configuration: configuration,
                clock: clock
            )
        }
        configuration.lanes = Int.random(in: 1...4, using: &random)
        return try await JournalTimeline.open(
            root: disk,
            configuration: configuration,
            clock: clock
        )
    }

    private mutating func reopen(_ timeline: JournalTimeline) async throws -> JournalTimeline {
        if cuts {
            disk = disk.afterPowerCut(seed: random.next())
        }
        await timeline.close()
        held = [:]
        superseded = []
        return try await open()
    }

    private mutating func checkAfterwards(_ before: [String: Known], powerCut: Bool) async throws {
        if powerCut { disk = disk.afterPowerCut(seed: random.next()) }
        disk.heal()
        let again = try await open()
        let found = try await pending(again)
        let after = attempted
        #expect(found == before || found == after, "seed \(seed)")
        await again.close()
        // What was repaired at the first opening must be sound at the second.
        let third = try await open()
        let still = try await pending(third)
        #expect(still == found, "seed \(seed)")
        await third.close()
    }

    /// What the model would be had the refused call happened.
    private var attempted: [String: Known] = [:]

    private func pending(_ timeline: JournalTimeline) async throws -> [String: Known] {
        var known: [String: Known] = [:]
        let names = (0..<24).map { "p\($0)" }
        for (id, found) in zip(names, try await timeline.find(names.map { PushID($0) })) {
            guard let found, found.state != .cancelling else { continue }
            known[id] = Known(
                payload: found.push.payload,
                due: found.push.due,
                attempt: found.attempt
            )
        }
        return known
    }

    private func check(_ timeline: JournalTimeline, _ step: Int) async throws {
        let found = try await pending(timeline)
        #expect(found == model, "seed \(seed), step \(step)")
    }

    // MARK: Acts

    private mutating func act(on timeline: JournalTimeline, _ step: Int) async throws {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: try await schedule(timeline)
        case 4: try await cancel(timeline)
        case 5..<7: try await claim(timeline, step)
        case 7..<9: try await settle(timeline)
        default:
            attempted = model
            // Leases last ten minutes: while something is held, time goes on so slowly that none ends.
            let most: Int64 = held.isEmpty ? 600_000 : 10
            clock.advance(by: .seconds(Int64.random(in: 1...most, using: &random)))
        }
    }

    private mutating func randomPush(_ id: String) -> Push {
        serial += 1
        let far: [Int64] = [5, 60, 5000, 500_000, 5_000_000]
        return Push(
            id: PushID(id),
            recipient: spreads
                ? Recipient(account: "a", person: id)
                : Recipient(account: "a\(serial % 3)", person: "o"),
            due: clock.now()
                + .seconds(
                    Int64.random(in: -5...(far.randomElement(using: &random) ?? 5), using: &random)
                ),
            channel: "log",
            payload: Array("payload \(serial)".utf8)
        )
    }

    private mutating func schedule(_ timeline: JournalTimeline) async throws {
        var next = model
        var overtaken = superseded
        var wanted: [ScheduleOutcome] = []
        var pushes: [Push] = []
        for _ in 0..<Int.random(in: 1...(spreads ? 1 : 5), using: &random) {
            let id = "p\(Int.random(in: 0..<24, using: &random))"
            let push = randomPush(id)
            pushes.append(push)
            if held[id] != nil {
                let isBehind = overtaken.contains(id) && next[id] != nil
                wanted.append(isBehind ? .parkedReplaced : .parked)
                overtaken.insert(id)
            } else {
                wanted.append(next[id] == nil ? .accepted : .replaced)
            }
            next[id] = Known(payload: push.payload, due: push.due)
        }
        attempted = next
        let outcomes = try await timeline.schedule(pushes)
        #expect(outcomes == wanted, "seed \(seed)")
        model = next
        superseded = overtaken
    }

    private mutating func cancel(_ timeline: JournalTimeline) async throws {
        let id = "p\(Int.random(in: 0..<24, using: &random))"
        let isBehind = superseded.contains(id) && model[id] != nil
        let wanted: CancelOutcome =
            held[id] != nil
            ? isBehind ? .inFlightParked : .inFlight
            : model[id] != nil ? .cancelled : .gone
        attempted = model
        attempted[id] = nil
        let outcomes = try await timeline.cancel([PushID(id)])
        #expect(outcomes == [wanted], "seed \(seed)")
        model[id] = nil
        if held[id] != nil { superseded.insert(id) }
    }

    private mutating func claim(_ timeline: JournalTimeline, _ step: Int) async throws {
        let now = clock.now()
        attempted = model
        let batch = try await timeline.claim(limit: 1000, lease: .minutes(10))
        var due = model.filter { $0.value.due <= now && held[$0.key] == nil }
        for claim in batch.claims {
            let id = claim.push.id.text
            #expect(held[id] == nil, "seed \(seed), step \(step): \(id) is held twice")
            let known = model[id]
            #expect(known?.payload == claim.push.payload, "seed \(seed), step \(step), \(id)")
            #expect(claim.push.due <= now, "seed \(seed), step \(step): \(id) is early")
            due[id] = nil
            held[id] = claim
        }
        // What one lane lends must reach its worker, although another cannot read any more.
        #expect(
            due.isEmpty || disk.isOff,
            "seed \(seed), step \(step): not claimed: \(due.keys)"
        )
    }

    private mutating func settle(_ timeline: JournalTimeline) async throws {
        guard let id = held.keys.sorted().randomElement(using: &random), let claim = held[id] else {
            return
        }
        var next = model
        let again = clock.now() + .seconds(Int64.random(in: 0...100_000, using: &random))
        var settlement = Settlement(token: claim.token, result: .done)
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            if !superseded.contains(id) { next[id] = nil }
        case 1:
            settlement.result = .retry(at: again)
            if !superseded.contains(id) {
                next[id]?.due = again
                next[id]?.attempt = claim.attempt + 1
            }
        default:
            let successor = randomPush(id)
            var follow = successor
            follow.recipient = claim.push.recipient
            settlement.successors = [follow]
            if !superseded.contains(id) {
                next[id] = Known(payload: follow.payload, due: follow.due)
            }
        }
        attempted = next
        let outcome = try await timeline.settle([settlement])[0]
        held[id] = nil
        superseded.remove(id)
        #expect(outcome != .stale, "seed \(seed)")
        model = next
    }
}
