import BelfryCore
import BelfrySimulation

extension TimelineRule {
    /// T5.
    static let cancels: [TimelineRule] = [
        TimelineRule("T5", "what is pending is cancelled, and never claimed") { it in
            try await it.schedule(it.push("soon", in: 0), it.push("later", in: 60))
            try expect(
                try await it.timeline.cancel(["soon", "later", "unknown"]),
                [.cancelled, .cancelled, .gone]
            )
            try expect(try await it.timeline.cancel(["soon"]), [.gone], "the second time")
            it.pass(60)
            try expect(try await it.claimed(), [])
            try expect(try await it.timeline.counts(), TimelineCounts())
        },
        TimelineRule("T5", "what has come due but is not claimed can still be cancelled") { it in
            try await it.schedule(it.push("a", in: 1), it.push("b", in: 1))
            it.pass(5)
            try expect(try await it.timeline.nextDue().map { $0 <= it.now }, true)
            try expect(try await it.timeline.cancel(["a"]), [.cancelled])
            try expect(try await it.claimed(), ["b"])
        },
        TimelineRule("T5", "what is in flight is flagged, told, and not retried") { it in
            try await it.schedule(it.push("a", in: 0))
            let claim = try await it.only()
            try expect(try await it.timeline.cancel(["a"]), [.inFlight])
            try expect(try await it.find("a")?.state, .cancelling)
            try expect(
                try await it.timeline.extend([claim.token], lease: .seconds(30)),
                [.extendedSuperseded]
            )
            let next = it.push("next", in: 0)
            let outcome = try await it.settle(claim, .retry(at: it.now), then: [next])
            try expect(outcome, .settledCancelled)
            try expect(try await it.claimed(), [])
            try expect(try await it.find("a") == nil, "it is still pending")
        },
        TimelineRule("T5", "what was cancelled in flight ends with its lease") { it in
            try await it.schedule(it.push("a", in: 0))
            let claim = try await it.only(lease: .seconds(30))
            _ = try await it.timeline.cancel(["a"])
            it.pass(30)
            try expect(try await it.claimed(), [])
            try expect(try await it.timeline.cancel(["a"]), [.gone])
            try expect(try await it.settle(claim), .stale)
            try expect(try await it.timeline.counts(), TimelineCounts())
        },
        TimelineRule("T5", "the same id twice in one call is cancelled once") { it in
            try await it.schedule(it.push("a", in: 5))
            try expect(try await it.timeline.cancel(["a", "a"]), [.cancelled, .gone])
        },
        TimelineRule("T5", "what was settled is gone") { it in
            try await it.schedule(it.push("a", in: 0))
            _ = try await it.settle(try await it.only())
            try expect(try await it.timeline.cancel(["a"]), [.gone])
        },
        TimelineRule("T5", "an id of 10 kB is just not there") { it in
            let long = PushID(String(repeating: "i", count: 10_000))
            try expect(try await it.timeline.cancel([long]), [.gone])
            try expect(try await it.find(long) == nil, "found")
        },
    ]

    /// T6.
    static let replacements: [TimelineRule] = [
        TimelineRule("T6", "a known id takes the new payload and due time") { it in
            let outcomes = try await it.schedule(it.push("a", in: 5, payload: "1"))
            try expect(outcomes, [.accepted])
            let old = try await it.find("a")
            try expect(try await it.schedule(it.push("a", in: 50, payload: "2")), [.replaced])
            let new = try await it.find("a")
            try expect((new?.sequence ?? 0) > (old?.sequence ?? 0), "its number is higher")
            it.pass(5)
            try expect(try await it.claimed(), [])
            it.pass(45)
            try expect(try await it.only().push.payload, Array("2".utf8))
            try expect(try await it.timeline.counts().byAccount, ["a": 1])
        },
        TimelineRule("T6", "earlier, later and into the past all work") { it in
            try await it.schedule(it.push("a", in: 100))
            try await it.schedule(it.push("a", in: 10))
            try expect(try await it.timeline.nextDue(), it.now + .seconds(10))
            try await it.schedule(it.push("a", in: 1000))
            try expect(try await it.timeline.nextDue(), it.now + .seconds(1000))
            try await it.schedule(it.push("a", in: -5))
            try expect(try await it.claimed(), ["a"])
        },
        TimelineRule("T6", "the last of one batch wins") { it in
            let outcomes = try await it.schedule(
                it.push("a", in: 0, payload: "1"),
                it.push("a", in: 0, payload: "2"),
                it.push("a", in: 0, payload: "3")
            )
            try expect(outcomes, [.accepted, .replaced, .replaced])
            try expect(try await it.only().push.payload, Array("3".utf8))
        },
        TimelineRule("T6", "in flight, the newest version waits for the settlement") { it in
            try await it.schedule(it.push("a", in: 0, payload: "1"))
            let claim = try await it.only()
            try expect(try await it.schedule(it.push("a", in: 0, payload: "2")), [.parked])
            try expect(
                try await it.schedule(
                    it.push("a", in: 0, payload: "2a"),
                    it.push("a", in: 0, payload: "3")
                ),
                [.parkedReplaced, .parkedReplaced],
                "that a version which waited has ended is told"
            )
            let shown = try await it.find("a")
            try expect(shown?.state, .parked)
            try expect(shown?.push.payload, Array("3".utf8))
            try expect(try await it.claimed(), [])
            try expect(
                try await it.timeline.extend([claim.token], lease: .seconds(30)),
                [.extendedSuperseded]
            )
            try expect(try await it.settle(claim, .retry(at: it.now)), .settledParked)
            let next = try await it.only()
            try expect(next.push.payload, Array("3".utf8))
            try expect(next.attempt, 0)
            try expect(try await it.settle(next), .settled)
            try expect(try await it.timeline.counts(), TimelineCounts())
        },
        TimelineRule("T6", "in flight, the newest version waits for the end of the lease") { it in
            try await it.schedule(it.push("a", in: 0, payload: "1"))
            let claim = try await it.only(lease: .seconds(30))
            try await it.schedule(it.push("a", in: 60, payload: "2"))
            it.pass(30)
            try expect(try await it.claimed(), [])
            try expect(try await it.settle(claim), .stale)
            try expect(try await it.timeline.nextDue(), it.now + .seconds(30))
            it.pass(30)
            try expect(try await it.only().push.payload, Array("2".utf8))
        },
        TimelineRule("T6", "a cancel takes the parked version too") { it in
            try await it.schedule(it.push("a", in: 0))
            let claim = try await it.only()
            try await it.schedule(it.push("a", in: 0, payload: "2"))
            try expect(try await it.timeline.cancel(["a", "a"]), [.inFlightParked, .inFlight])
            try expect(try await it.schedule(it.push("a", in: 0, payload: "3")), [.parked])
            try expect(try await it.timeline.cancel(["a"]), [.inFlightParked])
            try expect(try await it.settle(claim), .settledCancelled)
            try expect(try await it.claimed(), [])
        },
        TimelineRule(
            "T6",
            "several versions in one call behind one in flight: each but the last ends"
        ) {
            it in
            try await it.schedule(it.push("a", in: 0))
            let claim = try await it.only()
            let merge = MergeRule(key: "k", grace: .zero, maxWait: .zero, mode: .newest)
            try expect(
                try await it.schedule(
                    it.push("a", in: 0, payload: "2"),
                    it.push("a", in: 0, payload: "3")
                ),
                [.parked, .parkedReplaced]
            )
            try expect(
                try await it.schedule(it.push("a", in: 0, merge: merge, payload: "4")),
                [.parkedReplaced],
                "one that merges"
            )
            try expect(try await it.settle(claim), .settledParked)
            try expect(try await it.only().push.payload, Array("4".utf8))
        },
        TimelineRule("T5", "in flight for one person and waiting for another, both ends are told") {
            it in
            for number in 0..<10 {
                let id = PushID("a\(number)")
                try await it.schedule(it.push(id, in: 0, person: "old"))
                let claim = try await it.only()
                try await it.schedule(it.push(id, in: 60, person: "o\(number)"))
                try expect(try await it.timeline.cancel([id]), [.inFlightParked])
                try expect(try await it.settle(claim), .settledCancelled)
                try expect(try await it.timeline.cancel([id]), [.gone])
            }
            try expect(try await it.timeline.counts(), TimelineCounts())
        },
        TimelineRule("T6", "scheduling after a cancel is just scheduling") { it in
            try await it.schedule(it.push("a", in: 5))
            _ = try await it.timeline.cancel(["a"])
            try expect(try await it.schedule(it.push("a", in: 5, payload: "2")), [.accepted])
            it.pass(5)
            let claim = try await it.only()
            try expect(claim.push.payload, Array("2".utf8))
            _ = try await it.timeline.cancel(["a"])
            try expect(try await it.schedule(it.push("a", in: 0, payload: "3")), [.parked])
            try expect(try await it.settle(claim), .settledParked)
            try expect(try await it.only().push.payload, Array("3".utf8))
        },
        TimelineRule("T6", "a replacement may change account, priority and person") { it in
            try await it.schedule(it.push("a", in: 5))
            try await it.schedule(it.push("a", in: 5, priority: .low, person: "o2", account: "b"))
            try expect(try await it.timeline.counts().byAccount, ["b": 1])
            try expect(try await it.find("a")?.push.recipient.person, "o2")
        },
        TimelineRule("T6", "an id that goes from one person to the next is sent to the last") {
            it in
            for number in 0..<10 {
                try await it.schedule(it.push("a", in: 5, person: "o\(number)"))
                try expect(try await it.find("a")?.push.recipient.person, "o\(number)")
            }
            try expect(try await it.timeline.counts().scheduled, 1)
            it.pass(5)
            try expect(try await it.claim().map(\.push.recipient.person), ["o9"])
        },
        TimelineRule("T6", "in flight for one person, an id can go to another") { it in
            for number in 0..<10 {
                let id = PushID("a\(number)")
                try await it.schedule(it.push(id, in: 0, person: "old"))
                let claim = try await it.only()
                try await it.schedule(it.push(id, in: 0, person: "o\(number)"))
                try expect(
                    try await it.timeline.extend([claim.token], lease: .seconds(30)),
                    [.extendedSuperseded]
                )
                let outcome = try await it.settle(claim, .retry(at: it.now))
                try expect(outcome == .settledParked || outcome == .settledCancelled, "\(outcome)")
                let next = try await it.only()
                try expect(next.push.recipient.person, "o\(number)")
                try expect(try await it.settle(next), .settled)
            }
            try expect(try await it.timeline.counts(), TimelineCounts())
        },
    ]
}
