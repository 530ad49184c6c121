import BelfryCore
import BelfrySimulation

extension TimelineRule {
    /// T7.
    static let order: [TimelineRule] = [
        TimelineRule("T7", "priority, then due time, then acceptance") { it in
            try await it.schedule(
                it.push("low", in: 0, priority: .low),
                it.push("normal2", in: 2),
                it.push("normal1a", in: 1),
                it.push("normal1b", in: 1),
                it.push("urgent", in: 3, priority: .urgent),
                it.push("high", in: 3, priority: .high)
            )
            it.pass(3)
            try expect(
                try await it.claimed(),
                ["urgent", "high", "normal1a", "normal1b", "normal2", "low"]
            )
        },
        TimelineRule("T7", "holds over several claims") { it in
            try await it.schedule(it.push("b", in: 2), it.push("a", in: 1), it.push("c", in: 3))
            it.pass(3)
            var order: [String] = []
            for _ in 0..<3 { order += try await it.claimed(1) }
            try expect(order, ["a", "b", "c"])
        },
        TimelineRule("T7", "holds for many people together, and for each in order of acceptance") {
            it in
            for round in 0..<4 {
                for number in 0..<36 {
                    let id = PushID("\(round)/\(number)")
                    let priority = Priority.allCases[number % 3]
                    let seconds = Int64(number / 3 % 4 + 1)
                    let person = "o\(number)"
                    try await it.schedule(
                        it.push(id, in: seconds, priority: priority, person: person)
                    )
                }
            }
            it.pass(4)
            var claims: [Claim] = []
            while case let more = try await it.claim(7), !more.isEmpty { claims += more }
            try expect(claims.count, 4 * 36)
            for (a, b) in zip(claims, claims.dropFirst()) {
                let isInOrder = (a.push.priority, a.push.due) <= (b.push.priority, b.push.due)
                try expect(isInOrder, "\(b.push.id) came after \(a.push.id)")
            }
            for own in Dictionary(grouping: claims, by: \.push.recipient).values {
                try expect(own.map { $0.push.id.text.prefix(1) }, ["0", "1", "2", "3"])
            }
        },
        TimelineRule("T7", "no band starves: what waits long enough moves up") { it in
            try await it.schedule(it.push("old", in: 0, priority: .low))
            it.pass(86_400)
            try await it.schedule(it.push("new", in: 0, priority: .urgent))
            try expect(try await it.claimed(1), ["old"])
        },
        TimelineRule("T7", "a claim leaves deferred bands to wait, but not for longer than it says")
        {
            it in
            try await it.schedule(
                it.push("low", in: 0, priority: .low),
                it.push("normal", in: 0, priority: .normal, person: "o2"),
                it.push("high", in: 3, priority: .high, person: "o3")
            )
            it.pass(1)
            let first = try await it.claim(deferring: .normal, for: .seconds(30))
            try expect(first.claims.map(\.push.id.text), [])
            try expect(first.nextDue, it.now + .seconds(2), "nobody is woken for what is deferred")
            it.pass(2)
            let second = try await it.claim(deferring: .normal, for: .seconds(30))
            try expect(second.claims.map(\.push.id.text), ["high"])
            it.pass(27)
            let third = try await it.claim(deferring: .low, for: .seconds(31))
            try expect(third.claims.map(\.push.id.text), ["normal"])
            try expect(try await it.find("low")?.state, .scheduled)
            it.pass(1)
            let last = try await it.claim(deferring: .low, for: .seconds(31))
            try expect(last.claims.map(\.push.id.text).contains("low"), true)
        },
        TimelineRule("T7", "what was deferred is lent by the next claim that does not defer it") {
            it in
            try await it.schedule(it.push("a", in: 0, priority: .low))
            it.pass(1)
            try expect(try await it.claim(deferring: .low, for: .hours(1)).claims.count, 0)
            try expect(try await it.timeline.cancel(["gone"]), [.gone])
            try await it.schedule(it.push("b", in: 0, priority: .high, person: "o2"))
            try expect(try await it.claim(deferring: .low, for: .hours(1)).claims.count, 1)
            let claim = try await it.only()
            try expect(claim.push.id, "a")
            try expect(claim.attempt, 0)
            try expect(claim.held, .zero)
        },
        TimelineRule("T7", "what is deferred can be cancelled, replaced and found") { it in
            try await it.schedule(
                it.push("a", in: 0, priority: .low),
                it.push("b", in: 0, priority: .low)
            )
            it.pass(1)
            try expect(try await it.claim(deferring: .low, for: .hours(1)).claims.count, 0)
            try expect(try await it.timeline.cancel(["a"]), [.cancelled])
            try expect(try await it.find("b")?.state, .scheduled)
            try expect(try await it.schedule(it.push("b", in: 0, priority: .urgent)), [.replaced])
            let batch = try await it.claim(deferring: .low, for: .hours(1))
            try expect(batch.claims.map(\.push.id.text), ["b"])
        },
        TimelineRule("T7", "a retry waits behind what was due before it") { it in
            try await it.schedule(it.push("a", in: 0))
            _ = try await it.settle(try await it.only(), .retry(at: it.now + .seconds(5)))
            try await it.schedule(it.push("b", in: 4), it.push("c", in: 6))
            it.pass(10)
            try expect(try await it.claimed(), ["b", "a", "c"])
        },
    ]

    /// T13.
    static let chains: [TimelineRule] = [
        TimelineRule("T13", "a settlement carries its successors") { it in
            try await it.schedule(it.push("a", in: 0))
            let claim = try await it.only()
            let next = [it.push("b", in: 0), it.push("c", in: 10)]
            try expect(try await it.settle(claim, .done, then: next), .settled)
            try expect(try await it.claimed(), ["b"])
            it.pass(10)
            try expect(try await it.claimed(), ["c"])
        },
        TimelineRule("T13", "a successor may carry the settled id") { it in
            try await it.schedule(it.push("flow", in: 0, payload: "1"))
            let claim = try await it.only()
            let next = it.push("flow", in: 5, payload: "2")
            try expect(try await it.settle(claim, .done, then: [next]), .settled)
            let pending = try await it.find("flow")
            try expect(pending?.push, next)
            try expect(pending?.state, .scheduled)
            try expect(pending?.attempt, 0)
            it.pass(5)
            try expect(try await it.only().push.payload, Array("2".utf8))
        },
        TimelineRule("T13", "a successor of a stale settlement is not scheduled") { it in
            try await it.schedule(it.push("a", in: 0))
            let claim = try await it.only(lease: .seconds(1))
            it.pass(1)
            let next = it.push("b", in: 0)
            try expect(try await it.settle(claim, .done, then: [next]), .stale)
            try expect(try await it.find("b") == nil, "it was scheduled")
        },
        TimelineRule("T13", "a newer version beats the successor of the same id") { it in
            try await it.schedule(it.push("a", in: 0, payload: "1"))
            let claim = try await it.only()
            try await it.schedule(it.push("a", in: 0, payload: "new"))
            let successors = [it.push("a", in: 0, payload: "next"), it.push("b", in: 0)]
            try expect(try await it.settle(claim, .done, then: successors), .settledParked)
            let claims = try await it.claim()
            try expect(
                claims.map { String(decoding: $0.push.payload, as: UTF8.self) },
                ["new", "b"]
            )
        },
        TimelineRule("T13", "a bad successor refuses the whole settlement") { it in
            try await it.schedule(it.push("a", in: 0), it.push("b", in: 0))
            let claims = try await it.claim()
            var bad = it.push("c", in: 0)
            bad.payload = Array(repeating: 0, count: PushLimits.payloadBytes + 1)
            try await refused {
                _ = try await it.timeline.settle([
                    Settlement(token: claims[0].token, result: .done),
                    Settlement(
                        token: claims[1].token,
                        result: .done,
                        successors: [it.push("d", in: 0), bad]
                    ),
                ])
            }
            try expect(try await it.timeline.counts().inFlight, 2)
            try expect(try await it.find("d") == nil, "half of it happened")
        },
        TimelineRule("T13", "successors are there after a crash", needsReopening: true) { old in
            try await old.schedule(old.push("a", in: 0, payload: "1"))
            let claim = try await old.only()
            let next = [old.push("a", in: 5, payload: "2"), old.push("b", in: 5)]
            _ = try await old.settle(claim, .done, then: next)
            let new = try await reopened(old)
            new.pass(5)
            let claims = try await new.claim()
            try expect(claims.map(\.push), next)
        },
    ]
}
