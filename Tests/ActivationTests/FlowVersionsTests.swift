import BelfryActivation
import BelfryCore
import Testing

@Suite("Editing a live flow")
struct FlowVersionsTests {
    private let old = """
        key: f
        trigger: follow
        steps:
          - { id: a, after: 5s, text: old-a }
          - { id: b, after: 1h, text: old-b }
          - { id: c, after: 1h, text: old-c }
        """
    /// `b` is gone, `c` comes sooner, `z` is new in front.
    private let new = """
        key: f
        trigger: follow
        steps:
          - { id: z, after: 1s, text: new-z }
          - { id: a, after: 5s, text: new-a }
          - { id: c, after: 10m, text: new-c }
        """

    private func versions(_ policy: InsiderPolicy) throws -> FlowVersions {
        try #require(
            FlowVersions([
                try published(new, version: 2, insiders: policy), try published(old),
            ])
        )
    }

    private func position(_ step: String, due: Duration) -> FlowPosition {
        FlowPosition(
            flow: "f",
            version: 1,
            step: step,
            started: friday,
            anchor: friday,
            due: friday + due
        )
    }

    private func text(_ policy: InsiderPolicy, _ step: String) throws -> String {
        let resolution = planner.resolve(
            position(step, due: .hours(1)),
            versions: try versions(policy),
            person: FlowPerson(id: "o"),
            ledger: nil,
            now: friday + Duration.hours(1)
        )
        return switch resolution {
        case .send(let step): step.preview
        case .skip(let outcome, _): outcome.rawValue
        default: "\(resolution)"
        }
    }

    private func next(_ policy: InsiderPolicy, after step: String) throws -> Plan {
        planner.next(
            after: position(step, due: .hours(1)),
            outcome: .sent,
            versions: try versions(policy),
            person: FlowPerson(id: "o"),
            now: friday + Duration.hours(1)
        )
    }

    @Test("pinned: new texts reach everything unsent, steps and times stay as they were")
    func pinned() throws {
        #expect(try text(.pinned, "a") == "new-a")
        #expect(try text(.pinned, "b") == "old-b")
        let plan = try next(.pinned, after: "a")
        #expect(plan.position?.step == "b")
        #expect(plan.push?.due == friday + Duration.hours(2))
        #expect(plan.position?.version == 1)
    }

    @Test("follow-live: a deleted step is skipped and the person goes on in the new structure")
    func followLive() throws {
        #expect(try text(.followLive, "b") == "skipped_condition")
        let plan = try next(.followLive, after: "b")
        #expect(plan.position?.step == "c")
        #expect(plan.position?.version == 2)
        #expect(plan.push?.due == friday + Duration.hours(1) + Duration.minutes(10))
        // A new step in front of where the person is does not come back to them.
        #expect(try next(.followLive, after: "a").position?.step == "c")
    }

    @Test("follow-live: a longer delay moves the pending push, a shorter one makes it due at once")
    func retimed() throws {
        let replanned = planner.replan(
            position("c", due: .hours(1)),
            versions: try versions(.followLive),
            person: FlowPerson(id: "o")
        )
        #expect(replanned.push?.due == friday + Duration.minutes(10))
        let early = planner.resolve(
            position("c", due: .minutes(1)),
            versions: try versions(.followLive),
            person: FlowPerson(id: "o"),
            ledger: nil,
            now: friday + Duration.minutes(1)
        )
        guard case .hold(let until, .scheduled, _) = early else {
            Issue.record("\(early)")
            return
        }
        #expect(until == friday + Duration.minutes(10))
    }

    @Test("finish-on-old keeps old texts too, exit sends people out")
    func otherPolicies() throws {
        #expect(try text(.finishOnOld, "a") == "old-a")
        #expect(try text(.exit, "a") == "cancelled")
        #expect(try next(.exit, after: "a").next == .ended(.exited))
    }

    @Test("a version that is no longer kept is taken for the oldest that is")
    func purgedVersion() throws {
        let only = FlowVersions(try published(new, version: 7))
        #expect(only.standing(of: 3).structure.version == 7)
        #expect(only.standing(of: 9).structure.version == 7)
    }

    @Test("a diff names what was added, removed, moved and changed, and what of it is structure")
    func diff() throws {
        let before = try published(old).flow
        let after = try published(new).flow
        let diff = FlowDiff(from: before, to: after)
        #expect(
            diff.changes.map(\.description) == [
                "+ step z at place 1 (structure)",
                "~ step a: message (content)",
                "~ step c: when, message (structure)",
                "- step b (structure)",
            ]
        )
        #expect(FlowDiff(from: before, to: before).isEmpty)
        var swapped = before
        swapped.steps.swapAt(0, 1)
        let moves = FlowDiff(from: before, to: swapped).changes
        #expect(moves.count == 1 && moves[0].kind == .moved)
    }

    @Test("a publish plan counts whom each choice touches and what becomes past due at once")
    func publishPlan() throws {
        let now = friday + Duration.minutes(30)
        var plan = PublishPlan(
            versions: FlowVersions(try published(old)),
            publishing: try published(new).flow,
            planner: planner,
            now: now
        )
        let person = FlowPerson(id: "o")
        plan.add(position("a", due: .seconds(5)), person: person, count: 3)
        plan.add(position("b", due: .hours(1)), person: person, count: 10)
        plan.add(position("c", due: .hours(1)), person: person, count: 100)
        #expect(plan.people == ["a": 3, "b": 10, "c": 100])
        let live = try #require(plan.effects[.followLive])
        #expect(live.touched == 113)
        #expect(live.redirected == 10)
        // c is now ten minutes after the anchor: 20 minutes ago for both who wait for it and who were moved to it.
        #expect(live.pastDue == 110)
        #expect(live.longestPastDue == .minutes(20))
        #expect(plan.effects[.pinned]?.touched == 103)
        #expect(plan.effects[.pinned]?.pastDue == 0)
        #expect(plan.effects[.finishOnOld]?.touched == 0)
        #expect(plan.effects[.exit]?.leaving == 113)
    }

    @Test("what is past due is spread evenly or skipped, and what is not stays where it is")
    func catchUp() {
        let late = friday - Duration.minutes(30)
        let spread = CatchUp.spread(over: .minutes(10))
        #expect(spread.due(late, index: 0, of: 10, now: friday) == friday)
        #expect(spread.due(late, index: 5, of: 10, now: friday) == friday + Duration.minutes(5))
        #expect(spread.due(friday, index: 5, of: 10, now: friday) == friday)
        let huge = CatchUp.spread(over: .days(366)).due(
            late,
            index: .max - 1,
            of: .max,
            now: friday
        )
        #expect(huge.map { $0 <= friday + Duration.days(366) } == true)
        let skip = CatchUp.skip(laterThan: .minutes(20))
        #expect(skip.due(late, index: 0, of: 1, now: friday) == nil)
        #expect(skip.due(friday - Duration.minutes(5), index: 0, of: 1, now: friday) == friday)
    }
}
