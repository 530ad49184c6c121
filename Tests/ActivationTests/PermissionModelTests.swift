import BelfryActivation
import BelfryCore
import Testing

/// What the table allows, written down once more in the plainest way: every action is remembered, and each question looks at all of them.
private struct PlainModel {
    struct Window {
        var id: Int
        var action: GrantingAction
        var end: Int64
        var left: Int
    }

    var rules: PermissionRules
    var windows: [Window] = []
    private var next = 0

    init(rules: PermissionRules) { self.rules = rules }

    mutating func act(_ action: GrantingAction, _ time: Int64) {
        guard let terms = rules.table[action], let quota = terms.quota else { return }
        next += 1
        let end = time + terms.duration.milliseconds
        let window = Window(id: next, action: action, end: end, left: quota)
        switch rules.combination {
        case .add: windows.append(window)
        case .separate:
            windows.removeAll { $0.action == action }
            windows.append(window)
        case .refresh:
            let open = windows.first { $0.end > time }
            windows = [
                Window(
                    id: next,
                    action: action,
                    end: max(window.end, open?.end ?? 0),
                    left: max(quota, open?.left ?? 0)
                )
            ]
        }
    }

    /// - Returns: the windows that the message counts against; `nil`: it may not be sent.
    mutating func send(_ time: Int64) -> [Int]? {
        let open = windows.indices.filter { windows[$0].end > time && windows[$0].left > 0 }
        guard let first = open.min(by: { windows[$0].end < windows[$1].end }) else { return nil }
        let taken = rules.consumption == .all ? open : [first]
        for index in taken { windows[index].left -= 1 }
        return taken.map { windows[$0].id }
    }

    /// The message was surely not sent: the windows that are still there get it back.
    mutating func giveBack(_ taken: [Int]) {
        for index in windows.indices where taken.contains(windows[index].id) {
            windows[index].left += 1
        }
    }

    func left(_ time: Int64) -> Int {
        let open = windows.filter { $0.end > time && $0.left > 0 }.map(\.left)
        return rules.consumption == .all ? open.max() ?? 0 : open.reduce(0, +)
    }
}

extension PermissionLedger {
    fileprivate func left(_ time: Int64) -> Int {
        opens(at: Timestamp(milliseconds: time))?.remaining ?? 0
    }

    /// What is kept of it between two moments, as the records keep it: uses name only grants that are there.
    fileprivate var stored: PermissionLedger {
        let kept = uses.map { use in
            var use = use
            use.taken.removeAll { key in !grants.contains { $0.key == key } }
            return use
        }
        return PermissionLedger(rules: rules, grants: grants, uses: kept)
    }
}

@Suite("Permission ledger against a plain model")
struct PermissionModelTests {
    private func rules(
        _ seed: UInt64,
        _ combination: PermissionRules.Combination,
        _ consumption: PermissionRules.Consumption
    ) -> PermissionRules {
        var rules = seed % 2 == 0 ? PermissionRules.wechat2023 : .wechat2021
        rules.combination = combination
        rules.consumption = consumption
        return rules
    }

    @Test(
        "whatever people do and whichever sends fail, the ledger allows exactly what the table allows",
        arguments: PermissionRules.Combination.allCases,
        PermissionRules.Consumption.allCases
    )
    func sameAsModel(
        combination: PermissionRules.Combination,
        consumption: PermissionRules.Consumption
    ) {
        for seed in UInt64(0)..<60 {
            var random = SplitMix64(seed: seed)
            let rules = rules(seed, combination, consumption)
            var model = PlainModel(rules: rules)
            var ledger = PermissionLedger(rules: rules)
            var underway: [(use: GrantUse, taken: [Int])] = []
            var time: Int64 = 1000
            for step in 0..<200 {
                // Mostly seconds, now and then hours, so that windows both overlap and end. Two ends at the same moment would leave
                // open which is used first; uneven steps avoid them.
                time += Int64.random(in: 1...9999, using: &random)
                if Int.random(in: 0..<8, using: &random) == 0 {
                    time += Int64.random(in: 1...90_000_000, using: &random)
                }
                let now = Timestamp(milliseconds: time)
                switch Int.random(in: 0..<9, using: &random) {
                case 0..<3:
                    let action = GrantingAction.allCases.randomElement(using: &random) ?? .message
                    model.act(action, time)
                    ledger.record(action, at: now)
                    ledger.prune(at: now)
                case 3..<5 where !underway.isEmpty:
                    let index = Int.random(in: underway.indices, using: &random)
                    let failed = underway.remove(at: index)
                    model.giveBack(failed.taken)
                    ledger.release(failed.use)
                default:
                    let taken = model.send(time)
                    let use = try? ledger.reserve(at: now)
                    #expect((use != nil) == (taken != nil), "seed \(seed), step \(step)")
                    if let use, let taken { underway.append((use, taken)) }
                }
                ledger = ledger.stored
                #expect(ledger.left(time) == model.left(time), "seed \(seed), step \(step)")
            }
        }
    }

    /// Something that happened, when we heard of it, and whether it was an action or a message that we sent.
    private struct Moment {
        var time: Int64
        var action: GrantingAction?
    }

    @Test(
        "however late we hear of actions, every message sent is one that the table allows in order",
        arguments: PermissionRules.Combination.allCases,
        PermissionRules.Consumption.allCases
    )
    func late(
        combination: PermissionRules.Combination,
        consumption: PermissionRules.Consumption
    ) {
        for seed in UInt64(0)..<300 {
            var random = SplitMix64(seed: seed)
            let rules = rules(seed, combination, consumption)
            var ledger = PermissionLedger(rules: rules)
            var happened: [Moment] = []
            var onTheWay: [(arrives: Int64, moment: Moment)] = []
            // Odd times are actions, even ones messages: no two are equal.
            var time: Int64 = 1_000_000
            for _ in 0..<60 {
                time += 2 * Int64.random(in: 1...10_000, using: &random)
                for late in onTheWay.filter({ $0.arrives <= time }) {
                    if let action = late.moment.action {
                        ledger.record(
                            action,
                            at: Timestamp(milliseconds: late.moment.time),
                            arrived: Timestamp(milliseconds: time)
                        )
                        ledger.prune(at: Timestamp(milliseconds: time))
                    }
                }
                onTheWay.removeAll { $0.arrives <= time }
                if Int.random(in: 0..<3, using: &random) == 0 {
                    let kinds: [GrantingAction] = [.message, .menu, .follow]
                    let action = kinds.randomElement(using: &random) ?? .message
                    let moment = Moment(time: time - 1, action: action)
                    happened.append(moment)
                    let delay = Int64.random(in: 0...90_000, using: &random)
                    for copy in 0...Int64.random(in: 0...1, using: &random) {
                        onTheWay.append((time + delay * (1 + copy), moment))
                    }
                } else if (try? ledger.reserve(at: Timestamp(milliseconds: time))) != nil {
                    happened.append(Moment(time: time))
                }
                ledger = ledger.stored
            }
            var model = PlainModel(rules: rules)
            for moment in happened.sorted(by: { $0.time < $1.time }) {
                if let action = moment.action {
                    model.act(action, moment.time)
                } else {
                    #expect(model.send(moment.time) != nil, "seed \(seed), at \(moment.time)")
                }
            }
        }
    }

    @Test(
        "when all has been heard of, a window has left what it has in order, late or not",
        arguments: [PermissionRules.Combination.separate, .refresh],
        PermissionRules.Consumption.allCases
    )
    func lateAndExact(
        combination: PermissionRules.Combination,
        consumption: PermissionRules.Consumption
    ) {
        var compared = 0
        for seed in UInt64(0)..<300 {
            var random = SplitMix64(seed: seed)
            let rules = rules(seed, combination, consumption)
            var model = PlainModel(rules: rules)
            var ledger = PermissionLedger(rules: rules)
            model.act(.message, 1)
            ledger.record(.message, at: Timestamp(milliseconds: 1))
            // In truth: some messages, a word of the person, more messages, of which some fail. We hear of the word last but one.
            let before = Int64.random(in: 0...4, using: &random)
            let after = Int64.random(in: 0...4, using: &random)
            var uses: [GrantUse] = []
            var taken: [[Int]] = []
            for number in 0..<before + after {
                let time = number < before ? 10 + number : 100 + number
                guard let use = try? ledger.reserve(at: Timestamp(milliseconds: time)) else {
                    continue
                }
                if number >= before { uses.append(use) }
                if number == before { model.act(.message, 50) }
                let windows = model.send(time)
                #expect(windows != nil)
                if number >= before { taken.append(windows ?? []) }
            }
            if uses.isEmpty { model.act(.message, 50) }
            ledger.record(
                .message,
                at: Timestamp(milliseconds: 50),
                arrived: Timestamp(milliseconds: 200)
            )
            ledger = ledger.stored
            #expect(ledger.left(300) == model.left(300), "seed \(seed)")
            for (use, windows) in zip(uses, taken) where Bool.random(using: &random) {
                ledger.release(use)
                model.giveBack(windows)
                compared += 1
            }
            #expect(ledger.left(300) == model.left(300), "seed \(seed), after giving back")
        }
        #expect(compared > 100)
    }

    @Test("late, doubled and disordered events never allow more than the table does in order")
    func disorder() {
        for seed in UInt64(0)..<200 {
            var random = SplitMix64(seed: seed)
            var ledger = PermissionLedger(rules: .wechat2023)
            var actions: [(action: GrantingAction, time: Int64)] = []
            var sends: [Int64] = []
            var now: Int64 = 1_000_000
            for _ in 0..<120 {
                now += Int64.random(in: 1...20_000, using: &random)
                if Int.random(in: 0..<3, using: &random) == 0 {
                    let kinds: [GrantingAction] = [.message, .menu, .follow]
                    let action = kinds.randomElement(using: &random) ?? .message
                    let time = now - Int64.random(in: 0...30_000, using: &random)
                    for _ in 0...Int.random(in: 0...1, using: &random) {
                        actions.append((action, time))
                        ledger.record(
                            action,
                            at: Timestamp(milliseconds: time),
                            arrived: Timestamp(milliseconds: now)
                        )
                    }
                } else if (try? ledger.reserve(at: Timestamp(milliseconds: now))) != nil {
                    sends.append(now)
                    let inWindow = actions.contains { action in
                        let terms = PermissionRules.wechat2023.table[action.action]
                        return now < action.time + (terms?.duration.milliseconds ?? 0)
                    }
                    #expect(inWindow, "seed \(seed): a message outside of every window")
                }
            }
            let granted = Set(actions.map { "\($0.action)\($0.time)" }).count * 5
            #expect(sends.count <= granted)
        }
    }
}
