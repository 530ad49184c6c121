import BelfryCore
import BelfrySimulation

extension TimelineRule {
    /// T2, T10, T12.
    static let time: [TimelineRule] = [
        TimelineRule("T2", "nothing is claimed a millisecond early") { it in
            try await it.schedule(it.push("a", in: 5))
            it.clock.advance(by: .milliseconds(4999))
            try expect(try await it.claimed(), [])
            it.clock.advance(by: .milliseconds(1))
            try expect(try await it.claimed(), ["a"])
        },
        TimelineRule("T2", "a due time in the past is due now") { it in
            try await it.schedule(it.push("a", in: -86_400))
            var ancient = it.push("b", in: 0)
            ancient.due = .distantPast
            try await it.schedule(ancient)
            try expect(try await it.claimed(), ["b", "a"])
        },
        TimelineRule("T2", "a due time 200 years ahead is refused, and only that") { it in
            var far = it.push("far", in: 0)
            far.due = it.now + .days(365 * 200)
            var never = it.push("never", in: 0)
            never.due = .distantFuture
            let outcomes = try await it.schedule(far, it.push("a", in: 0), never)
            try expect(outcomes, [.refusedTooFar, .accepted, .refusedTooFar])
            try expect(try await it.find("far") == nil, "it was kept")
            try expect(try await it.claimed(), ["a"])
        },
        TimelineRule("T2", "every due time within the horizon is met exactly") { it in
            var spans: [Int64] = []
            for bit in 0..<30 { spans += [1 << bit, (1 << bit) + 1] }
            var pushes: [Push] = []
            for span in spans { pushes.append(it.push(PushID("p\(span)"), in: span)) }
            try await it.timeline.schedule(pushes)
            let start = it.now
            for span in Set(spans).sorted() {
                it.clock.set(start + .seconds(span) - .milliseconds(1))
                try expect(try await it.claimed(), [], "before \(span) s")
                it.clock.set(start + .seconds(span))
                let claims = try await it.claim()
                try expect(Set(claims.map(\.push.id.text)), ["p\(span)"])
                for claim in claims { _ = try await it.settle(claim) }
            }
        },
        TimelineRule("T10", "a clock set back an hour loses, doubles and hurries nothing") { it in
            try await it.schedule(it.push("due", in: 10), it.push("later", in: 1800))
            it.pass(20)
            let claim = try await it.only()
            it.clock.jump(to: it.now - .hours(1))
            try expect(try await it.claimed(), [])
            try await it.schedule(it.push("new", in: 60))
            try expect(try await it.timeline.nextDue().map { $0 <= it.now + .seconds(60) }, true)
            it.pass(59)
            try expect(
                try await it.claimed().filter { $0 != "due" },
                [],
                "the lease may have ended, nothing else"
            )
            it.pass(1)
            try expect(try await it.claimed().contains("new"), "what was scheduled after the jump")
            it.pass(3600 + 1800)
            try expect(try await it.claimed().contains("later"), "what was scheduled before")
            _ = claim
        },
        TimelineRule("T10", "what had become due waits again when the clock is set back") { it in
            try await it.schedule(it.push("a", in: 10))
            it.pass(20)
            try expect(try await it.find("a")?.state, .scheduled)
            it.clock.jump(to: it.now - .hours(1))
            try expect(try await it.claimed(), [])
            it.pass(3600)
            try expect(try await it.claimed(), ["a"])
        },
        TimelineRule("T10", "a clock set forward an hour doubles nothing that is in flight") { it in
            try await it.schedule(it.push("a", in: 0), it.push("b", in: 1800))
            let claim = try await it.only()
            it.clock.jump(to: it.now + .hours(1))
            try expect(try await it.claimed(), ["b"])
            try expect(try await it.settle(claim), .settled)
        },
        TimelineRule("T10", "a lease goes on by time passed when the clock is set back") { it in
            try await it.schedule(it.push("a", in: 0))
            _ = try await it.only(lease: .seconds(30))
            it.clock.jump(to: it.now - .seconds(20))
            it.pass(29)
            try expect(try await it.claimed(), [])
            it.pass(1)
            try expect(try await it.claimed(), ["a"])
        },
        TimelineRule("T12", "says when to look next") { it in
            try expect(try await it.timeline.nextDue(), nil)
            let start = it.now
            try await it.schedule(it.push("a", in: 100), it.push("b", in: 50))
            try expect(try await it.timeline.nextDue(), start + .seconds(50))
            _ = try await it.timeline.cancel(["b"])
            try expect(try await it.timeline.nextDue(), start + .seconds(100))
            it.pass(100)
            let batch = try await it.timeline.claim(limit: 10, lease: .seconds(30))
            try expect(batch.nextDue, start + .seconds(130), "the end of the lease")
            try expect(batch.now, start + .seconds(100))
            _ = try await it.settle(batch.claims[0])
            try expect(try await it.timeline.nextDue(), nil)
        },
        TimelineRule("T12", "a claim that leaves due pushes says so") { it in
            try await it.schedule(it.push("a", in: 0), it.push("b", in: 0))
            let batch = try await it.timeline.claim(limit: 1, lease: .seconds(30))
            try expect(batch.nextDue.map { $0 <= batch.now }, true)
        },
    ]
}
