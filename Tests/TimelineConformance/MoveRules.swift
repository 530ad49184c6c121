package import BelfryCore
import BelfrySimulation

extension TimelineFixture {
    /// Every page, read one after another.
    package func pages(limit: Int = 2) async throws -> [Pending] {
        let timeline = try movable
        var found: [Pending] = []
        var mark: PageMark?
        repeat {
            let page = try await timeline.page(after: mark, limit: limit)
            found += page.pushes
            mark = page.next
        } while mark != nil
        return found
    }

    package var movable: any MovableTimeline {
        get throws {
            guard let movable = timeline as? any MovableTimeline else {
                throw BrokenPromise(description: "pushes of this engine cannot be moved")
            }
            return movable
        }
    }
}

extension TimelineRule {
    private static func rule(_ mode: MergeRule.Mode) -> MergeRule {
        MergeRule(key: "k", grace: .seconds(5), maxWait: .seconds(12), mode: mode)
    }

    /// What a move between engines needs.
    package static let moves: [TimelineRule] = [
        TimelineRule("M1", "pages show everything pending that nobody holds") { it in
            for number in 0..<40 {
                try await it.schedule(
                    it.push(
                        PushID("p\(number)"),
                        in: Int64(number * 9000),
                        person: "o\(number % 7)"
                    )
                )
            }
            _ = try await it.only()
            _ = try await it.timeline.cancel(["p7"])
            let found = Set(try await it.pages().map(\.push.id.text))
            let wanted = Set((1..<40).map { "p\($0)" }).subtracting(["p7"])
            try expect(found, wanted)
        },
        TimelineRule("M2", "what has changed since it was read is not taken out") { it in
            for id in ["held", "gone", "newer", "off", "same"] as [PushID] {
                try await it.schedule(it.push(id, in: id == "same" ? 9 : 0))
            }
            let read = try await it.pages()
            try expect(read.count, 5)
            for claim in try await it.claim() where claim.push.id != "held" {
                let result: Settlement.Result =
                    claim.push.id == "gone" ? .done : .hold(until: it.now + .seconds(60))
                _ = try await it.settle(claim, result)
            }
            try await it.schedule(it.push("newer", in: 0))
            let isOut = try await it.movable.withdraw(read)
            let out = zip(read, isOut).filter(\.1).map(\.0.push.id)
            try expect(out, ["same"])
            try expect(try await it.find("same"), nil)
            try expect(try await it.find("off")?.state, .scheduled)
            try expect(try await it.timeline.counts().scheduled, 2)
            it.pass(20)
            try expect(try await it.claimed(), ["newer"])
        },
        TimelineRule("M3", "what is put in is as it was", needsReopening: true) { it in
            try await it.schedule(it.push("plain", in: 70))
            try await it.schedule(it.push("tried", in: 0, priority: .high))
            _ = try await it.settle(try await it.only(), .retry(at: it.now + .seconds(50)))
            try await it.schedule(it.push("head", in: 0, merge: rule(.collect)))
            it.pass(1)
            try await it.schedule(it.push("b", in: 0, merge: rule(.collect)))
            let read = try await it.pages()
            try expect(try await it.movable.withdraw(read), [true, true, true])
            try expect(try await it.timeline.counts(), TimelineCounts())
            try expect(try await it.movable.place(read), [true, true, true])
            try expect(try await it.movable.place(read), [false, false, false])
            let new = try await reopened(it)
            for old in read {
                let found = try await new.find(old.push.id)
                try expect(found?.push, old.push)
                try expect(found?.attempt, old.attempt)
                try expect(found?.asked, old.asked)
                try expect(found?.collected, old.collected)
                try expect(found?.state, .scheduled)
            }
            try expect(try await new.timeline.counts().byAccount, ["a": 3])
            new.pass(5)
            let claim = try await new.only()
            try expect(claim.push.id, "head")
            try expect(claim.collected, [Array("head".utf8)])
            _ = try await new.settle(claim)
            new.pass(45)
            try expect(try await new.claimed(), ["tried"])
        },
        TimelineRule("M4", "a group that was put in is joined") { it in
            let push = it.push("a", in: 0, merge: rule(.newest))
            try await it.schedule(push)
            try expect(try await it.movable.awaitsJoining([push]), [true])
            let read = try await it.pages()
            _ = try await it.movable.withdraw(read)
            try expect(try await it.movable.awaitsJoining([push]), [false])
            _ = try await it.movable.place(read)
            try expect(try await it.movable.awaitsJoining([push]), [true])
            it.pass(2)
            try expect(try await it.schedule(it.push("b", in: 0, merge: rule(.newest))), [.merged])
            it.pass(5)
            let claim = try await it.only()
            try expect(claim.push.id, "a")
            try expect(claim.push.payload, Array("b".utf8))
            try expect(try await it.movable.awaitsJoining([push]), [false])
        },
    ]
}
