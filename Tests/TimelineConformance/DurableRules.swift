import BelfryCore
import BelfrySimulation

extension TimelineRule {
    /// T1.
    static let durable: [TimelineRule] = [
        TimelineRule("T1", "what was accepted is there after a crash", needsReopening: true) {
            old in
            try await old.schedule(old.push("near", in: 5), old.push("far", in: 90 * 86_400))
            let wanted = try await old.timeline.find(["near", "far"])
            let new = try await reopened(old)
            try expect(try await new.timeline.find(["near", "far"]), wanted)
            new.pass(5)
            try expect(try await new.claimed(), ["near"])
            new.pass(90 * 86_400)
            try expect(try await new.claimed().contains("far"), "the far push was lost")
        },
        TimelineRule("T1", "what was cancelled or settled stays gone", needsReopening: true) {
            old in
            try await old.schedule(
                old.push("a", in: 0),
                old.push("b", in: 60),
                old.push("c", in: 60)
            )
            try expect(try await old.settle(try await old.only()), .settled)
            try expect(try await old.timeline.cancel(["b"]), [.cancelled])
            let new = try await reopened(old)
            new.pass(60)
            try expect(try await new.claimed(), ["c"])
        },
        TimelineRule("T1", "what was in flight is due again after a crash", needsReopening: true) {
            old in
            try await old.schedule(old.push("a", in: 0))
            let claim = try await old.only()
            let new = try await reopened(old)
            let again = try await new.only()
            try expect(again.push, claim.push)
            try expect(again.sequence, claim.sequence, "the version keeps its number")
            try expect(try await new.settle(claim), .stale, "the old token")
        },
        TimelineRule("T1", "a cancel in flight outlives a crash", needsReopening: true) { old in
            try await old.schedule(old.push("a", in: 0))
            _ = try await old.only()
            try expect(try await old.timeline.cancel(["a"]), [.inFlight])
            let new = try await reopened(old)
            try expect(try await new.claimed(), [])
            try expect(try await new.find("a") == nil, "it is still pending")
        },
        TimelineRule("T1", "a parked version is the one that a crash leaves", needsReopening: true)
        {
            old in
            try await old.schedule(old.push("a", in: 0, payload: "1"))
            _ = try await old.only()
            try expect(try await old.schedule(old.push("a", in: 9, payload: "2")), [.parked])
            let new = try await reopened(old)
            try expect(try await new.claimed(), [])
            new.pass(9)
            try expect(try await new.only().push.payload, Array("2".utf8))
        },
        TimelineRule("T1", "a retry keeps its time and its attempt", needsReopening: true) { old in
            try await old.schedule(old.push("a", in: 0))
            let claim = try await old.only()
            _ = try await old.settle(claim, .retry(at: old.now + .seconds(50)))
            let new = try await reopened(old)
            new.pass(49)
            try expect(try await new.claimed(), [])
            new.pass(1)
            let again = try await new.only()
            try expect(again.attempt, 1)
            try expect(again.sequence, claim.sequence)
        },
        TimelineRule("T1", "merged pushes stay merged", needsReopening: true) { old in
            let rule = MergeRule(
                key: "k",
                grace: .seconds(5),
                maxWait: .seconds(60),
                mode: .collect
            )
            try await old.schedule(old.push("a", in: 0, merge: rule))
            old.pass(3)
            try expect(try await old.schedule(old.push("b", in: 0, merge: rule)), [.merged])
            let new = try await reopened(old)
            try expect(try await new.schedule(new.push("c", in: 0, merge: rule)), [.merged])
            new.pass(5)
            let claim = try await new.only()
            try expect(claim.push.id, "a")
            try expect(claim.push.payload, Array("c".utf8))
            try expect(claim.collected, [Array("a".utf8), Array("b".utf8)])
        },
        TimelineRule("T1", "acceptance goes on counting after a crash", needsReopening: true) {
            old in
            try await old.schedule(old.push("a", in: 0), old.push("b", in: 0))
            let new = try await reopened(old)
            try await new.schedule(new.push("c", in: 0))
            let sequences = try await new.claim().map(\.sequence)
            try expect(sequences, sequences.sorted())
            try expect(Set(sequences).count, 3)
        },
        TimelineRule("T1", "survives being opened many times", needsReopening: true) { first in
            var fixture = first
            for round in 0..<5 {
                try await fixture.schedule(fixture.push(PushID("p\(round)"), in: 0))
                fixture = try await reopened(fixture)
            }
            try expect(try await fixture.claimed(), ["p0", "p1", "p2", "p3", "p4"])
            try expect(try await fixture.timeline.counts().byAccount, ["a": 5])
        },
    ]

    static func reopened(_ old: TimelineFixture) async throws -> TimelineFixture {
        guard let reopen = old.reopen else {
            throw BrokenPromise(description: "this timeline cannot be opened again")
        }
        return try await reopen()
    }
}
