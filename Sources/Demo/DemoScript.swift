import BelfryCore
import BelfryWeChatSimulator

/// Something that a person will do, by the scene's script.
struct DemoAction: Sendable {
    var time: Timestamp
    var account: Int
    var openID: String
    var interaction: Interaction
}

/// The script of a scene: who follows when, who writes, taps, leaves and comes back. Drawn from a seed.
struct DemoScript: Sendable {
    /// In the order of time.
    private(set) var actions: [DemoAction] = []
    /// Follows, second ones included.
    private(set) var follows = 0

    /// - Parameter span: within which everybody follows, one after another.
    init(followers: Int, accounts: Int, begins: Timestamp, within span: Duration, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for number in 0..<followers {
            let account = number % accounts
            let openID = "oDemo\(number)-\(String(random.next(), radix: 36))"
            let at = begins + .milliseconds(span.milliseconds * Int64(number) / Int64(followers))
            let scene = random.chance(20) ? "spring-0\(number % 3 + 1)" : nil
            add(at, account, openID, .follow(scene: scene))
            follows += 1
            live(openID, account, since: at, &random)
        }
        actions.sort { ($0.time, $0.openID) < ($1.time, $1.openID) }
    }

    /// What one person does after following.
    private mutating func live(
        _ openID: String,
        _ account: Int,
        since at: Timestamp,
        _ random: inout SplitMix64
    ) {
        if random.chance(35) {
            add(at + .seconds(random.draw(7...50)), account, openID, .say("1"))
        }
        if random.chance(15) {
            add(at + .seconds(random.draw(60...7200)), account, openID, .say("我想学习"))
        }
        if random.chance(10) {
            add(at + .seconds(random.draw(10...600)), account, openID, .tapMenu(key: "coupon"))
        }
        if random.chance(12) {
            let leaves = at + .seconds(random.draw(2...90_000))
            add(leaves, account, openID, .unfollow)
            if random.chance(40) {
                add(leaves + .seconds(random.draw(5...3600)), account, openID, .follow())
                follows += 1
            }
        }
    }

    private mutating func add(
        _ time: Timestamp,
        _ account: Int,
        _ openID: String,
        _ interaction: Interaction
    ) {
        actions.append(
            DemoAction(time: time, account: account, openID: openID, interaction: interaction)
        )
    }
}

extension SplitMix64 {
    fileprivate mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &self) < percent
    }

    fileprivate mutating func draw(_ range: ClosedRange<Int64>) -> Int64 {
        Int64.random(in: range, using: &self)
    }
}
