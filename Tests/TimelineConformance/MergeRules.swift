import BelfryCore
import BelfrySimulation

extension TimelineRule {
    private static func rule(_ mode: MergeRule.Mode, grace: Int64 = 5, maxWait: Int64 = 12)
        -> MergeRule
    {
        MergeRule(key: "k", grace: .seconds(grace), maxWait: .seconds(maxWait), mode: mode)
    }

    /// T8.
    static let merging: [TimelineRule] = [
        TimelineRule("T8", "one alone waits for its grace") { it in
            try await it.schedule(it.push("a", in: 0, merge: rule(.newest)))
            it.pass(4)
            try expect(try await it.claimed(), [])
            it.pass(1)
            try expect(try await it.claimed(), ["a"])
        },
        TimelineRule("T8", "the newest wins, under the first one's id") { it in
            try await it.schedule(it.push("a", in: 0, merge: rule(.newest)))
            it.pass(3)
            try expect(try await it.schedule(it.push("b", in: 0, merge: rule(.newest))), [.merged])
            it.pass(4)
            try expect(try await it.claimed(), [])
            it.pass(1)
            let claim = try await it.only()
            try expect(claim.push.id, "a")
            try expect(claim.push.payload, Array("b".utf8))
            try expect(claim.collected, [])
            try expect(try await it.timeline.counts().byAccount, ["a": 1])
        },
        TimelineRule("T8", "the first waits no longer than maxWait") { it in
            let start = it.now
            try await it.schedule(it.push("p0", in: 0, merge: rule(.collect)))
            for number in 1...5 {
                it.pass(2)
                try await it.schedule(
                    it.push(PushID("p\(number)"), in: 0, merge: rule(.collect))
                )
            }
            try expect(try await it.timeline.nextDue(), start + .seconds(12))
            it.clock.set(start + .seconds(12))
            let claim = try await it.only()
            let payloads = (claim.collected + [claim.push.payload]).map {
                String(decoding: $0, as: UTF8.self)
            }
            try expect(payloads, ["p0", "p1", "p2", "p3", "p4", "p5"])
        },
        TimelineRule("T8", "collects a bounded number; beyond it the newest is replaced") { it in
            for number in 0..<20 {
                try await it.schedule(
                    it.push(PushID("p\(number)"), in: 0, merge: rule(.collect))
                )
            }
            it.pass(12)
            let claim = try await it.only()
            try expect(claim.collected.count, PushLimits.collected - 1)
            try expect(claim.collected.first, Array("p0".utf8))
            try expect(claim.collected.last, Array("p14".utf8))
            try expect(claim.push.payload, Array("p19".utf8))
        },
        TimelineRule("T8", "what was parked joins nothing, not after a restart either") { old in
            try await old.schedule(old.push("b", in: 0, merge: rule(.newest)))
            old.pass(5)
            try expect(try await old.claimed(), ["b"])
            try expect(try await old.timeline.cancel(["b"]), [.inFlight])
            try await old.schedule(old.push("a", in: 1, merge: rule(.newest)))
            let parked = try await old.schedule(old.push("b", in: 1, merge: rule(.newest)))
            try expect(parked, [.parked])
            let new = try await reopened(old)
            for id in ["a", "b"] {
                let found = try await new.find(PushID(id))
                try expect(found.map { $0.push.payload }, Array(id.utf8), id)
            }
        },
        TimelineRule("T8", "keys of different people, accounts or names do not meet") { it in
            var other = rule(.newest)
            other.key = "k2"
            let outcomes = try await it.schedule(
                it.push("a", in: 0, merge: rule(.newest)),
                it.push("b", in: 0, person: "o2", merge: rule(.newest)),
                it.push("c", in: 0, account: "b", merge: rule(.newest)),
                it.push("d", in: 0, merge: other),
                it.push("e", in: 0)
            )
            try expect(outcomes, [.accepted, .accepted, .accepted, .accepted, .accepted])
            it.pass(5)
            try expect(try await it.claimed().count, 5)
        },
        TimelineRule("T8", "pushes far apart stay apart, and none is early") { it in
            try await it.schedule(it.push("a", in: 100, merge: rule(.newest)))
            try expect(
                try await it.schedule(it.push("b", in: 200, merge: rule(.newest))),
                [.accepted]
            )
            try expect(
                try await it.schedule(it.push("c", in: 204, merge: rule(.newest))),
                [.merged]
            )
            it.pass(105)
            let first = try await it.only()
            try expect(first.push.id, "a")
            _ = try await it.settle(first)
            it.pass(103)
            try expect(try await it.claimed(), [])
            it.pass(1)
            let claim = try await it.only()
            try expect(claim.push.id, "b")
            try expect(claim.push.payload, Array("c".utf8))
        },
        TimelineRule("T8", "what is in flight is not merged into") { it in
            try await it.schedule(it.push("a", in: 0, merge: rule(.newest)))
            it.pass(5)
            let claim = try await it.only()
            let outcomes = try await it.schedule(
                it.push("b", in: 0, merge: rule(.newest)),
                it.push("c", in: 0, merge: rule(.newest))
            )
            try expect(outcomes, [.accepted, .merged])
            try expect(try await it.settle(claim), .settled)
            it.pass(5)
            try expect(try await it.claimed(), ["b"])
        },
        TimelineRule("T8", "a group that is cancelled is joined no more") { it in
            try await it.schedule(it.push("a", in: 0, merge: rule(.newest)))
            try expect(try await it.timeline.cancel(["a"]), [.cancelled])
            try expect(
                try await it.schedule(it.push("b", in: 0, merge: rule(.newest))),
                [.accepted]
            )
            it.pass(5)
            try expect(try await it.claimed(), ["b"])
        },
        TimelineRule("T8", "replacing the head of a group begins it anew") { it in
            try await it.schedule(it.push("a", in: 0, merge: rule(.collect)))
            it.pass(3)
            try await it.schedule(it.push("b", in: 0, merge: rule(.collect)))
            try expect(
                try await it.schedule(it.push("a", in: 0, merge: rule(.collect), payload: "A")),
                [.replaced]
            )
            it.pass(5)
            let claim = try await it.only()
            try expect(claim.push.payload, Array("A".utf8))
            try expect(claim.collected, [])
        },
        TimelineRule(
            "T8",
            "what merged while another was in flight is told apart after a crash",
            needsReopening: true
        ) { old in
            try await old.schedule(old.push("a", in: 0, merge: rule(.newest)))
            old.pass(5)
            let claim = try await old.only()
            try await old.schedule(old.push("b", in: 0, merge: rule(.newest)))
            _ = try await old.settle(claim)
            let new = try await reopened(old)
            new.pass(5)
            try expect(try await new.claimed(), ["b"])
        },
    ]
}
