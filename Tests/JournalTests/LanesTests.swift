import BelfryCore
import BelfryJournal
import BelfrySimulation
import Testing

@Suite("A timeline of several lanes")
struct LanesTests {
    private let clock = ManualClock()
    private let disk = SimulatedDisk()

    private func open(_ lanes: Int = 4) async throws(TimelineError) -> JournalTimeline {
        var configuration = JournalConfiguration()
        configuration.lanes = lanes
        return try await JournalTimeline.open(
            root: disk,
            configuration: configuration,
            clock: clock
        )
    }

    private func push(
        _ id: String,
        to person: Int,
        in seconds: Int64 = 0,
        _ priority: Priority = .normal,
        payload: String = ""
    ) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: "o\(person)"),
            due: clock.now() + .seconds(seconds),
            priority: priority,
            channel: "log",
            payload: Array(payload.utf8)
        )
    }

    private func claimAll(_ timeline: JournalTimeline, by limit: Int = 1000) async throws -> [Claim]
    {
        var claims: [Claim] = []
        while true {
            let more = try await timeline.claim(limit: limit, lease: .minutes(1)).claims
            if more.isEmpty { return claims }
            claims += more
        }
    }

    @Test("has its pushes spread evenly, each person in one lane", arguments: [2, 3, 4, 64])
    func even(lanes: Int) async throws {
        let timeline = try await open(lanes)
        func bytes() -> [Int] {
            (0..<lanes).map { disk.size(of: "lane-\($0)/journal-0000000000000002.log") }
        }
        try await timeline.schedule((0..<6400).map { push("p\($0)", to: $0, in: 60) })
        let all = bytes()
        let usual = all.reduce(0, +) / lanes
        #expect(all.allSatisfy { usual / 2 < $0 && $0 < usual * 2 }, "\(all)")
        try await timeline.schedule((0..<100).map { push("q\($0)", to: 7, in: 60) })
        #expect(zip(all, bytes()).count { $0 != $1 } == 1)
        await timeline.close()
    }

    // MARK: Order

    @Test("hands over by band and due time, whichever lane has it", arguments: [1, 7, 100, 1000])
    func order(limit: Int) async throws {
        let timeline = try await open()
        var random = SplitMix64(seed: UInt64(limit))
        for batch in 0..<5 {
            try await timeline.schedule(
                (0..<60).map {
                    push(
                        "\(batch)/\($0)",
                        to: .random(in: 0..<30, using: &random),
                        in: .random(in: 1...20, using: &random),
                        Priority.allCases.randomElement(using: &random) ?? .normal
                    )
                }
            )
        }
        clock.advance(by: .seconds(20))
        let claims = try await claimAll(timeline, by: limit)
        #expect(claims.count == 300)
        for (a, b) in zip(claims, claims.dropFirst()) {
            #expect((a.push.priority, a.push.due) <= (b.push.priority, b.push.due))
        }
        for (_, own) in Dictionary(grouping: claims, by: \.push.recipient) {
            for (a, b) in zip(own, own.dropFirst())
            where (a.push.priority, a.push.due) == (b.push.priority, b.push.due) {
                #expect(a.sequence < b.sequence, "one person's pushes in order of acceptance")
            }
        }
        await timeline.close()
    }

    @Test("a lane with a long backlog keeps no other waiting: what is due first goes first")
    func starving() async throws {
        let timeline = try await open(2)
        try await timeline.schedule((0..<500).map { push("busy\($0)", to: 1, in: 10) })
        // Some of them are in the other lane, and one is due before the backlog.
        try await timeline.schedule((0..<20).map { push("calm\($0)", to: 100 + $0, in: 9) })
        try await timeline.schedule((0..<20).map { push("late\($0)", to: 100 + $0, in: 11) })
        clock.advance(by: .seconds(12))
        let first = try await timeline.claim(limit: 20, lease: .minutes(1)).claims
        #expect(first.allSatisfy { $0.push.id.text.hasPrefix("calm") })
        let rest = try await claimAll(timeline, by: 50)
        #expect(rest.suffix(20).allSatisfy { $0.push.id.text.hasPrefix("late") })
        await timeline.close()
    }

    @Test("ageing counts across lanes: an old low one goes before new urgent ones")
    func ageing() async throws {
        let timeline = try await open()
        try await timeline.schedule((0..<8).map { push("old\($0)", to: $0, in: 0, .low) })
        clock.advance(by: .hours(1))
        try await timeline.schedule((0..<8).map { push("new\($0)", to: $0, in: 0, .urgent) })
        let claims = try await timeline.claim(limit: 8, lease: .minutes(1)).claims
        #expect(claims.allSatisfy { $0.push.id.text.hasPrefix("old") })
        await timeline.close()
    }

    @Test("no two versions of anything have the same acceptance number, after reopening neither")
    func sequences() async throws {
        var numbers: Set<UInt64> = []
        for lanes in [3, 3, 2, 4] {
            let timeline = try await open(lanes)
            try await timeline.schedule((0..<50).map { push("p\($0)", to: $0, in: 60) })
            let found = try await timeline.find((0..<50).map { PushID("p\($0)") })
            numbers.formUnion(found.compactMap { $0?.sequence })
            await timeline.close()
        }
        #expect(numbers.count == 4 * 50)
    }

    // MARK: One id, another recipient

    @Test(
        "an id that is scheduled for another recipient is replaced, whichever lanes that concerns"
    )
    func moves() async throws {
        let timeline = try await open()
        for person in 0..<20 {
            let outcome = try await timeline.schedule([
                push("x", to: person, in: 5, payload: "\(person)")
            ])
            #expect(outcome == [person == 0 ? .accepted : .replaced])
            #expect(try await timeline.find(["x"])[0]?.push.recipient.person == "o\(person)")
            #expect(try await timeline.counts().scheduled == 1)
        }
        clock.advance(by: .seconds(5))
        #expect(try await claimAll(timeline).map(\.push.payload) == [Array("19".utf8)])
        await timeline.close()
        clock.advance(by: .hours(1))
        let again = try await open()
        #expect(try await claimAll(again).map(\.push.payload) == [Array("19".utf8)])
        await again.close()
    }

    @Test("of one id for several recipients in one batch the last counts")
    func movesInBatch() async throws {
        let timeline = try await open()
        let outcomes = try await timeline.schedule((0..<20).map { push("x", to: $0) })
        #expect(outcomes.count == 20)
        #expect(try await claimAll(timeline).map(\.push.recipient.person) == ["o19"])
        await timeline.close()
    }

    @Test("a cancel reaches an id wherever it is, and says so once")
    func cancels() async throws {
        let timeline = try await open()
        let ids = (0..<20).map { PushID("p\($0)") }
        try await timeline.schedule((0..<20).map { push("p\($0)", to: $0) })
        #expect(try await timeline.cancel(ids + ["none"]) == ids.map { _ in .cancelled } + [.gone])
        #expect(try await timeline.cancel(ids) == ids.map { _ in .gone })
        #expect(try await claimAll(timeline).isEmpty)
        await timeline.close()
    }

    @Test("what is in flight for one recipient ends when its id goes to another")
    func movesInFlight() async throws {
        let timeline = try await open()
        // Of so many, some go to another lane and some stay in theirs.
        try await timeline.schedule((0..<20).map { push("p\($0)", to: $0, payload: "old") })
        let old = try await claimAll(timeline)
        try await timeline.schedule((0..<20).map { push("p\($0)", to: $0 + 1, payload: "new") })
        let told = try await timeline.extend(old.map(\.token), lease: .minutes(1))
        #expect(told.allSatisfy { $0 == .extendedSuperseded })
        let retries = old.map { Settlement(token: $0.token, result: .retry(at: clock.now())) }
        let outcomes = try await timeline.settle(retries)
        #expect(outcomes.allSatisfy { $0 == .settledCancelled || $0 == .settledParked })
        let new = try await claimAll(timeline)
        #expect(new.count == 20)
        #expect(new.allSatisfy { $0.push.payload == Array("new".utf8) })
        await timeline.close()
    }

    @Test("a successor takes the place of what is pending under its id for another recipient")
    func successorMoves() async throws {
        let timeline = try await open()
        try await timeline.schedule((0..<20).map { push("next\($0)", to: 100 + $0, in: 60) })
        try await timeline.schedule((0..<20).map { push("p\($0)", to: $0) })
        let settlements = try await claimAll(timeline).enumerated().map { number, claim in
            var next = push("next\(number)", to: 0, in: 60, payload: "new")
            next.recipient = claim.push.recipient
            return Settlement(token: claim.token, result: .done, successors: [next])
        }
        #expect(try await timeline.settle(settlements).allSatisfy { $0 == .settled })
        clock.advance(by: .seconds(60))
        let claims = try await claimAll(timeline)
        #expect(claims.count == 20)
        #expect(claims.allSatisfy { $0.push.payload == Array("new".utf8) })
        await timeline.close()
    }

    @Test("calls that move one id at the same time leave exactly one version")
    func concurrentMoves() async throws {
        let timeline = try await open()
        for round in 0..<30 {
            let id = "x\(round)"
            try await withThrowingTaskGroup { group in
                for person in 0..<12 {
                    let push = push(id, to: person, in: 60, payload: "\(person)")
                    group.addTask { _ = try await timeline.schedule([push]) }
                }
                try await group.waitForAll()
            }
            #expect(try await timeline.counts().scheduled == round + 1)
            #expect(try await timeline.find([PushID(id)])[0] != nil)
        }
        await timeline.close()
    }

    // MARK: Tokens

    @Test("a token of another lane, or of no lane, is stale")
    func foreignTokens() async throws {
        let timeline = try await open(2)
        try await timeline.schedule((0..<20).map { push("p\($0)", to: $0) })
        let claims = try await claimAll(timeline)
        let foreign = claims.flatMap { claim in
            [UInt64(1) << 58, 1 << 59, 1 << 63].map {
                ClaimToken(id: claim.token.id, generation: claim.token.generation ^ $0)
            }
        }
        let settlements = foreign.map { Settlement(token: $0, result: .done) }
        #expect(try await timeline.settle(settlements).allSatisfy { $0 == .stale })
        let extended = try await timeline.extend(foreign, lease: .minutes(1))
        #expect(extended.allSatisfy { $0 == .stale })
        #expect(try await timeline.counts().inFlight == 20)
        await timeline.close()
    }

    @Test("settlements of several lanes are answered in order")
    func settles() async throws {
        let timeline = try await open()
        try await timeline.schedule((0..<40).map { push("p\($0)", to: $0) })
        let claims = try await claimAll(timeline)
        _ = try await timeline.cancel(claims.enumerated().filter { $0.0 % 3 == 0 }.map(\.1.push.id))
        let outcomes = try await timeline.settle(
            claims.enumerated().map { number, claim in
                var token = claim.token
                if number % 3 == 1 { token.generation += 1000 }
                return Settlement(token: token, result: .done)
            }
        )
        #expect(
            outcomes == (0..<40).map { [.settledCancelled, .stale, .settled][$0 % 3] }
        )
        await timeline.close()
    }

    @Test("a successor that breaks a limit refuses the settlements of all lanes")
    func badSuccessor() async throws {
        let timeline = try await open()
        try await timeline.schedule((0..<20).map { push("p\($0)", to: $0) })
        var settlements = try await claimAll(timeline).map {
            Settlement(token: $0.token, result: .done)
        }
        var bad = push("bad", to: 0)
        bad.payload = Array(repeating: 0, count: PushLimits.payloadBytes + 1)
        settlements[19].successors = [bad]
        let error = await #expect(throws: TimelineError.self) {
            _ = try await timeline.settle(settlements)
        }
        #expect(error?.code == .invalid)
        #expect(try await timeline.counts().inFlight == 20)
        await timeline.close()
    }

    // MARK: Failures

    @Test(
        "when one lane fails, what the others accepted stays, and scheduling again makes it whole"
    )
    func failing() async throws {
        for number in 0..<12 {
            let timeline = try await open(3)
            let start = disk.changes
            disk.fail(at: start + number, with: StorageError(.other, "input/output error"))
            let pushes = (0..<30).map { push("\(number)/\($0)", to: $0, in: 60) }
            do throws(TimelineError) { try await timeline.schedule(pushes) } catch {
                #expect(error.code == .io)
            }
            disk.heal()
            let outcomes = try await timeline.schedule(pushes)
            #expect(outcomes.allSatisfy { $0 == .accepted || $0 == .replaced })
            #expect(try await timeline.counts().scheduled == 30 * (number + 1))
            await timeline.close()
        }
    }

    @Test("the alarm waits for the earliest of all lanes")
    func alarm() async throws {
        let timeline = try await open()
        var random = SplitMix64(seed: 1)
        for number in 0..<20 {
            let seconds = Int64.random(in: 10...100, using: &random)
            try await timeline.schedule([push("p\(number)", to: number, in: seconds)])
        }
        var due: [Timestamp] = []
        while let next = try await timeline.nextDue() {
            clock.set(next)
            try await timeline.alarm.wait(nextDue: next)
            let claims = try await claimAll(timeline)
            #expect(claims.allSatisfy { $0.push.due == next } && !claims.isEmpty)
            due += claims.map(\.push.due)
            _ = try await timeline.settle(claims.map { Settlement(token: $0.token, result: .done) })
        }
        #expect(due.count == 20)
        await timeline.close()
    }
}
