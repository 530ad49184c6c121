import BelfryActivation
import BelfryCore
import Testing

/// Flows and people made up at random from a seed, so that a failure can be repeated.
private struct Inventor {
    var random: SplitMix64

    mutating func pick<T>(_ choices: [T], or standard: T) -> T {
        choices.randomElement(using: &random) ?? standard
    }

    mutating func span() -> Duration {
        .milliseconds(
            pick([5_000, 60_000, 3_600_000, 7_200_000, 86_400_000, 1, 0], or: 1)
                * Int64.random(in: 1...9, using: &random)
        )
    }

    mutating func localTime() -> LocalTime {
        LocalTime(minutes: Int.random(in: 0..<1440, using: &random))
    }

    mutating func timing(relativeOnly: Bool) -> StepTiming {
        let last = relativeOnly ? 1 : 5
        return switch Int.random(in: 0...last, using: &random) {
        case 0: .after(span())
        case 1: .immediately
        case 2: .afterEntry(span())
        case 3: .afterMessage(span(), wait: span() + .seconds(1))
        case 4: .at(localTime(), day: nil)
        default: .at(localTime(), day: Int.random(in: 0...4, using: &random))
        }
    }

    mutating func flow(relativeOnly: Bool = false, trigger: FlowTrigger = .follow(scenes: []))
        -> Flow
    {
        let quiet = QuietHours(from: localTime(), to: localTime())
        let zones = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
        let steps = (0..<Int.random(in: 1...8, using: &random)).map { index in
            FlowStep(
                id: "s\(index)",
                timing: timing(relativeOnly: relativeOnly),
                message: .text("x"),
                otherwise: pick([nil, .skip, .hold(span() + .seconds(1))], or: nil),
                expires: pick([nil, nil, span() + .seconds(1)], or: nil)
            )
        }
        return Flow(
            key: "f",
            name: "f",
            trigger: trigger,
            zone: LocalZone(pick(zones, or: "UTC")),
            quietHours: pick([nil, quiet], or: nil),
            steps: steps
        )
    }

    /// Any millisecond of four years, so that changes of clocks are met.
    mutating func moment() -> Timestamp {
        friday + .milliseconds(Int64.random(in: 0...126_144_000_000, using: &random))
    }
}

@Suite("Flow planner, for flows made up at random")
struct FlowPropertyTests {
    @Test(
        "no push is planned before its anchor, steps keep their order, and the flow comes to its end"
    )
    func neverBeforeAnchor() throws {
        for seed in UInt64(0)..<1500 {
            var inventor = Inventor(random: SplitMix64(seed: seed))
            let flow = PublishedFlow(flow: inventor.flow(), version: 1)
            let entry = inventor.moment()
            var person = FlowPerson(id: "o")
            var plan = try planner.start(flow, person: person, event: followed(entry), now: entry)
            var now = entry
            var last = -1
            var rounds = 0
            while let position = plan.position, let push = plan.push {
                let index = try #require(Int(position.step.dropFirst()))
                #expect(push.due >= position.anchor, "seed \(seed): before its anchor")
                #expect(push.due >= entry, "seed \(seed): before the entry")
                #expect(index > last, "seed \(seed): out of order")
                #expect(try FlowPosition(payload: push.payload) == position)
                last = index
                now =
                    max(now, push.due)
                    + .milliseconds(Int64.random(in: 0...90_000, using: &inventor.random))
                if Int.random(in: 0..<3, using: &inventor.random) == 0 { person.lastWrote = now }
                plan = planner.next(
                    after: position,
                    outcome: .sent,
                    versions: FlowVersions(flow),
                    person: person,
                    now: now
                )
                rounds += 1
                #expect(rounds <= flow.flow.steps.count)
                if rounds > flow.flow.steps.count { break }
            }
            #expect(plan.next == .ended(.completed))
        }
    }

    @Test(
        "quiet hours keep order and spacing: no step in them, none closer to the one before than meant"
    )
    func quietSpacing() throws {
        for seed in UInt64(0)..<1500 {
            var inventor = Inventor(random: SplitMix64(seed: seed))
            var flow = inventor.flow(relativeOnly: true)
            flow.quietHours = QuietHours(
                from: inventor.localTime(),
                to: inventor.localTime()
            )
            guard let quiet = flow.quietHours, quiet.length <= .hours(20) else { continue }
            let zone = flow.zone ?? .utc
            let published = PublishedFlow(flow: flow, version: 1)
            let entry = inventor.moment()
            let person = FlowPerson(id: "o")
            var plan = try planner.start(
                published,
                person: person,
                event: followed(entry),
                now: entry
            )
            var before = entry
            while let position = plan.position, let push = plan.push {
                let meant: Duration =
                    if case .after(let delay)? = flow.step(position.step)?.timing {
                        delay
                    } else {
                        .zero
                    }
                #expect(push.due - before >= meant, "seed \(seed): closer than meant")
                #expect(quiet.period(at: push.due, in: zone) == nil, "seed \(seed): in quiet hours")
                if quiet.period(at: before + meant, in: zone) == nil {
                    #expect(push.due - before == meant, "seed \(seed): moved without need")
                }
                before = push.due
                plan = planner.next(
                    after: position,
                    outcome: .sent,
                    versions: FlowVersions(published),
                    person: person,
                    now: push.due
                )
            }
        }
    }

    @Test("a simulation never sends more than the table allows, for any flow and any person")
    func permitted() throws {
        for seed in UInt64(0)..<400 {
            var inventor = Inventor(random: SplitMix64(seed: seed))
            let trigger: FlowTrigger = inventor.pick(
                [.follow(scenes: []), .message(keywords: [], match: .exact)],
                or: .api
            )
            let flow = inventor.flow(trigger: trigger)
            let rules: PermissionRules = inventor.pick(
                [.wechat2023, .wechat2021, .legacy48h],
                or: .wechat2023
            )
            var time = inventor.moment()
            var acts = [Scenario.Act(time: time, what: .event(.follow(scene: nil)))]
            for _ in 0..<Int.random(in: 0...12, using: &inventor.random) {
                time = time + inventor.span() + Duration.milliseconds(1)
                let kind: FlowEvent.Kind = inventor.pick(
                    [
                        .message(text: "x", isMenuTap: false), .menu(key: "K"), .unfollow,
                        .message(text: "x", isMenuTap: true), .follow(scene: nil),
                    ],
                    or: .unfollow
                )
                acts.append(Scenario.Act(time: time, what: .event(kind)))
            }
            let lines = FlowSimulator.run(flow, rules: rules, scenario: Scenario(acts))
            #expect(lines.last?.kind != .cutOff, "seed \(seed)")
            judge(lines, acts, rules, seed)
        }
    }

    /// Judges by the acts and the lines alone: each message needs an action whose window is open and whose count, reset by each new
    /// action of its kind, is not used up by as many messages as all open windows allow together.
    private func judge(
        _ lines: [SimulatedLine],
        _ acts: [Scenario.Act],
        _ rules: PermissionRules,
        _ seed: UInt64
    ) {
        var left: [GrantingAction: (end: Timestamp, count: Int)] = [:]
        var rest = acts[...]
        for line in lines where line.kind == .sent || line.kind == .act {
            if line.kind == .act {
                guard let act = rest.popFirst(), case .event(let kind) = act.what else { continue }
                if case .unfollow = kind { left = [:] }
                let event = FlowEvent(kind, at: act.time)
                if let action = event.action, let terms = rules.table[action] {
                    left[action] = (act.time + terms.duration, terms.quota ?? .max)
                }
                continue
            }
            let open = left.filter { line.time < $0.value.end && $0.value.count > 0 }
            let first = open.min { $0.value.end < $1.value.end }
            #expect(first != nil, "seed \(seed): sent without permission at \(line.local)")
            if let first { left[first.key]?.count -= 1 }
        }
    }

    @Test("what a check calls reachable for everyone is sent to a silent person")
    func checkAgreesWithSimulation() throws {
        for seed in UInt64(0)..<600 {
            var inventor = Inventor(random: SplitMix64(seed: seed))
            let trigger: FlowTrigger = inventor.pick(
                [.follow(scenes: []), .message(keywords: [], match: .exact), .scan(scenes: [])],
                or: .api
            )
            var flow = inventor.flow(trigger: trigger)
            flow.quietHours = nil
            for index in flow.steps.indices { flow.steps[index].expires = nil }
            let findings = FlowCheck.report(flow, rules: .wechat2023)
            let promised = findings.filter { $0.reach == .everyone }.compactMap(\.step)
            let impossible = findings.filter { $0.reach == .never }.compactMap(\.step)
            let time = inventor.moment()
            let kind: FlowEvent.Kind =
                switch trigger {
                case .message: .message(text: "x", isMenuTap: false)
                case .scan: .scan(scene: "s")
                default: .follow(scene: nil)
                }
            let lines = FlowSimulator.run(
                flow,
                rules: .wechat2023,
                scenario: Scenario([.init(time: time, what: .event(kind))])
            )
            let sent = Set(lines.filter { $0.kind == .sent }.compactMap(\.step))
            for step in promised where !isDayZero(step, flow) {
                #expect(sent.contains(step), "seed \(seed): \(step) was promised to everyone")
            }
            for step in impossible {
                #expect(!sent.contains(step), "seed \(seed): \(step) was called impossible")
            }
        }
    }

    /// A step on the day of entry itself is passed over for whoever enters later; the check warns of it.
    private func isDayZero(_ id: String, _ flow: Flow) -> Bool {
        if case .at(_, .some)? = flow.step(id)?.timing { true } else { false }
    }
}
