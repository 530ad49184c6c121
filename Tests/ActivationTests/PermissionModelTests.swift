import BelfryActivation
import BelfryCore
import Testing

/// What the table allows, written down once more in the plainest way: every action is remembered, and each question looks at all of them.
private struct PlainModel {
    var rules: PermissionRules
    var windows: [(action: GrantingAction, start: Int64, end: Int64, left: Int)] = []

    mutating func act(_ action: GrantingAction, _ time: Int64) {
        guard let terms = rules.table[action], let quota = terms.quota else { return }
        let window = (
            action: action, start: time, end: time + terms.duration.milliseconds, left: quota
        )
        switch rules.combination {
        case .add: windows.append(window)
        case .separate:
            windows.removeAll { $0.action == action }
            windows.append(window)
        case .refresh:
            let open = windows.first { $0.end > time }
            windows = [
                (action, time, max(window.end, open?.end ?? 0), max(quota, open?.left ?? 0))
            ]
        }
    }

    mutating func send(_ time: Int64) -> Bool {
        let open = windows.indices.filter { windows[$0].end > time && windows[$0].left > 0 }
        guard let first = open.min(by: { windows[$0].end < windows[$1].end }) else { return false }
        switch rules.consumption {
        case .shortestLived: windows[first].left -= 1
        case .all: for index in open { windows[index].left -= 1 }
        }
        return true
    }
}

@Suite("Permission ledger against a plain model")
struct PermissionModelTests {
    @Test(
        "whatever people do, the ledger allows exactly what the table allows",
        arguments: PermissionRules.Combination.allCases,
        PermissionRules.Consumption.allCases
    )
    func sameAsModel(
        combination: PermissionRules.Combination,
        consumption: PermissionRules.Consumption
    ) {
        for seed in UInt64(0)..<60 {
            var random = SplitMix64(seed: seed)
            var rules = seed % 2 == 0 ? PermissionRules.wechat2023 : .wechat2021
            rules.combination = combination
            rules.consumption = consumption
            var model = PlainModel(rules: rules)
            var ledger = PermissionLedger(rules: rules)
            var time: Int64 = 1000
            for step in 0..<200 {
                // Mostly seconds, now and then hours, so that windows both overlap and end. Two ends at the same moment would leave
                // open which is used first; uneven steps avoid them.
                time += Int64.random(in: 1...9999, using: &random)
                if Int.random(in: 0..<8, using: &random) == 0 {
                    time += Int64.random(in: 1...90_000_000, using: &random)
                }
                let now = Timestamp(milliseconds: time)
                if Int.random(in: 0..<3, using: &random) == 0 {
                    let action = GrantingAction.allCases.randomElement(using: &random) ?? .message
                    model.act(action, time)
                    ledger.record(action, at: now)
                } else {
                    let isAllowed = (try? ledger.reserve(at: now)) != nil
                    #expect(isAllowed == model.send(time), "seed \(seed), step \(step)")
                }
            }
        }
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
