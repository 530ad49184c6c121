import BelfryCore
import BelfrySimulation

extension TimelineRule {
    /// What every engine shows.
    static let looking: [TimelineRule] = [
        TimelineRule("look", "find gives back every field, for each state") { it in
            var push = it.push("你好/😀", in: 7, priority: .high, merge: nil, payload: "\u{0}x")
            push.expires = it.now + .seconds(99)
            push.channel = "wechat"
            try await it.schedule(push)
            let pending = try await it.find(push.id)
            try expect(pending?.push, push)
            try expect(pending?.state, .scheduled)
            try expect(pending?.accepted, it.now)
            it.pass(7)
            let claim = try await it.only()
            try expect(claim.push, push)
            try expect(claim.sequence, pending?.sequence)
            try expect(claim.accepted, pending?.accepted)
            try expect(claim.leaseEnds, it.now + .seconds(30))
            try expect(try await it.find(push.id)?.state, .inFlight)
            try expect(
                try await it.timeline.find(["none", push.id]).map { $0 == nil },
                [true, false]
            )
        },
        TimelineRule("look", "payloads of every size come back") { it in
            for size in [0, 1, 7, 8, 9, 4096, PushLimits.payloadBytes] {
                var push = it.push(PushID("p\(size)"), in: 0)
                push.payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                try await it.schedule(push)
                let claim = try await it.only()
                try expect(claim.push.payload == push.payload, "\(size) bytes differ")
                _ = try await it.settle(claim)
            }
        },
        TimelineRule("look", "counts go with every change") { it in
            try await it.schedule(
                it.push("a", in: 0),
                it.push("b", in: 5),
                it.push("c", in: 5, account: "other")
            )
            var counts = TimelineCounts(scheduled: 3, byAccount: ["a": 2, "other": 1])
            try expect(try await it.timeline.counts(), counts)
            let claim = try await it.only()
            counts.scheduled = 2
            counts.inFlight = 1
            try expect(try await it.timeline.counts(), counts)
            _ = try await it.settle(claim)
            _ = try await it.timeline.cancel(["c"])
            try expect(
                try await it.timeline.counts(),
                TimelineCounts(scheduled: 1, byAccount: ["a": 1])
            )
        },
        TimelineRule("look", "the forecast counts what is due in each bucket") { it in
            let minute = Timestamp(milliseconds: it.now.milliseconds / 60_000 * 60_000 + 60_000)
            it.clock.set(minute)
            try await it.schedule(
                it.push("a", in: 30),
                it.push("b", in: 59),
                it.push("c", in: 60),
                it.push("d", in: 3600),
                it.push("e", in: 40 * 86_400)
            )
            let from = it.now
            try expect(
                try await it.timeline.forecast(
                    from: from,
                    to: from + .minutes(3),
                    bucket: .minutes(1)
                ),
                [2, 1, 0]
            )
            try expect(
                try await it.timeline.forecast(
                    from: from + .seconds(29),
                    to: from + .seconds(61),
                    bucket: .seconds(30)
                ),
                [1, 2]
            )
            _ = try await it.timeline.cancel(["a"])
            try await it.schedule(it.push("c", in: 0))
            try expect(
                try await it.timeline.forecast(
                    from: from,
                    to: from + .days(41),
                    bucket: .days(1)
                ).reduce(0, +),
                4
            )
            try await refused {
                _ = try await it.timeline.forecast(
                    from: from,
                    to: from + .seconds(10_001),
                    bucket: .seconds(1)
                )
            }
        },
        TimelineRule("look", "empty calls are answered") { it in
            try expect(try await it.timeline.schedule(PushBatch()), [])
            try expect(try await it.timeline.cancel([]), [])
            try expect(try await it.timeline.find([]), [])
            try expect(try await it.timeline.settle([]), [])
            try expect(try await it.timeline.extend([], lease: .seconds(1)), [])
            try expect(try await it.claimed(), [])
        },
        TimelineRule("look", "a full batch is taken") { it in
            var pushes: [Push] = []
            for number in 0..<PushLimits.batchPushes {
                pushes.append(it.push(PushID("p\(number)"), in: Int64(number % 100)))
            }
            let outcomes = try await it.timeline.schedule(pushes)
            try expect(outcomes.allSatisfy { $0 == .accepted }, "one was not accepted")
            it.pass(100)
            try expect(try await it.claim(PushLimits.batchPushes).count, PushLimits.batchPushes)
        },
    ]
}
