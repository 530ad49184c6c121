import BelfryCore
import BelfrySimulation

extension TimelineRule {
    /// T3, T4.
    static let claims: [TimelineRule] = [
        TimelineRule("T3", "a claim that is not settled becomes due again") { it in
            try await it.schedule(it.push("a", in: 0))
            let first = try await it.only(lease: .seconds(30))
            it.clock.advance(by: .milliseconds(29_999))
            try expect(try await it.claimed(), [])
            it.clock.advance(by: .milliseconds(1))
            let second = try await it.only()
            try expect(second.push, first.push)
            try expect(second.attempt, 0, "a lost claim is no attempt")
            try expect(second.token != first.token, "the token is new")
        },
        TimelineRule("T3", "an extension counts from now") { it in
            try await it.schedule(it.push("a", in: 0))
            let claim = try await it.only(lease: .seconds(30))
            it.pass(29)
            try expect(
                try await it.timeline.extend([claim.token], lease: .seconds(30)),
                [.extended]
            )
            it.pass(29)
            try expect(try await it.claimed(), [])
            it.pass(1)
            try expect(try await it.claimed(), ["a"])
        },
        TimelineRule("T3", "retry comes back at its time with one attempt more, hold with none") {
            it in
            try await it.schedule(it.push("a", in: 0), it.push("b", in: 0))
            let claims = try await it.claim()
            _ = try await it.settle(claims[0], .retry(at: it.now + .seconds(10)))
            _ = try await it.settle(claims[1], .hold(until: it.now + .seconds(10)))
            it.pass(9)
            try expect(try await it.claimed(), [])
            it.pass(1)
            let again = try await it.claim()
            try expect(again.map(\.attempt), [1, 0])
            try expect(again.map(\.push.due), [it.now, it.now])
        },
        TimelineRule(
            "T3",
            "the time asked for survives retries, holds and a restart",
            needsReopening: true
        ) { old in
            var it = old
            let asked = it.now + .seconds(5)
            let rule = MergeRule(key: "k", grace: .seconds(5), maxWait: .hours(1), mode: .newest)
            try await it.schedule(
                it.push("a", in: 5),
                it.push("b", in: 5),
                it.push("c", in: 0, merge: rule)
            )
            it.pass(6)
            for claim in try await it.claim() {
                try expect(claim.asked, asked)
                let again = it.now + .hours(2)
                _ = try await it.settle(
                    claim,
                    claim.push.id == "a" ? .retry(at: again) : .hold(until: again)
                )
            }
            try expect(try await it.find("a")?.asked, asked)
            it = try await reopened(it)
            try expect(try await it.find("c")?.asked, asked)
            it.pass(7_200)
            let claims = try await it.claim()
            try expect(claims.map(\.asked), [asked, asked, asked])
            try expect(claims.map(\.push.due), [it.now, it.now, it.now])
            try await it.schedule(it.push("a", in: 60))
            for claim in claims { _ = try await it.settle(claim, .retry(at: it.now)) }
            it.pass(60)
            let newer = try await it.claim().first { $0.push.id == "a" }
            try expect(newer?.asked, it.now, "a newer version has a time of its own")
        },
        TimelineRule("T4", "a stale token changes nothing and is told so") { it in
            try await it.schedule(it.push("a", in: 0))
            let old = try await it.only(lease: .seconds(1))
            it.pass(1)
            try expect(try await it.settle(old), .stale, "after the lease, before another claim")
            let new = try await it.only()
            try expect(try await it.settle(old), .stale)
            try expect(try await it.settle(old, .retry(at: it.now)), .stale)
            try expect(try await it.timeline.extend([old.token], lease: .seconds(9)), [.stale])
            try expect(try await it.find("a")?.state, .inFlight)
            try expect(try await it.settle(new), .settled)
            try expect(try await it.settle(new), .stale, "twice")
        },
        TimelineRule("T4", "one push is never held twice") { it in
            for number in 0..<50 { try await it.schedule(it.push(PushID("p\(number)"), in: 0)) }
            var seen: Set<String> = []
            for _ in 0..<10 {
                for id in try await it.claimed(7) {
                    try expect(seen.insert(id).inserted, "\(id) was claimed twice")
                }
            }
            try expect(seen.count, 50)
        },
        TimelineRule("T4", "the same token twice in one call settles once") { it in
            try await it.schedule(it.push("a", in: 0))
            let claim = try await it.only()
            let settlement = Settlement(token: claim.token, result: .done)
            let outcomes = try await it.timeline.settle([settlement, settlement])
            try expect(outcomes, [.settled, .stale])
        },
        TimelineRule("T4", "a token of another push, or of none, is stale") { it in
            try await it.schedule(it.push("a", in: 0), it.push("b", in: 60))
            let claim = try await it.only()
            let others: [PushID] = ["b", "unknown"]
            for id in others {
                let token = ClaimToken(id: id, generation: claim.token.generation)
                let settlement = Settlement(token: token, result: .done)
                try expect(try await it.timeline.settle([settlement]), [.stale])
            }
            try expect(try await it.find("b")?.state, .scheduled)
        },
        TimelineRule("T4", "limits and leases out of range are refused") { it in
            for limit in [0, -1, PushLimits.batchPushes + 1] {
                try await refused { _ = try await it.claim(limit) }
            }
            for lease in [Duration.zero, .seconds(-1), PushLimits.lease + .milliseconds(1)] {
                try await refused { _ = try await it.claim(1, lease: lease) }
            }
        },
    ]

    /// Expects the error `invalid`.
    static func refused(
        line: UInt = #line,
        _ body: () async throws -> Void
    ) async throws {
        do {
            try await body()
        } catch let error as TimelineError {
            return try expect(error.code, .invalid, "line \(line)")
        }
        throw BrokenPromise(description: "line \(line): was not refused")
    }
}
