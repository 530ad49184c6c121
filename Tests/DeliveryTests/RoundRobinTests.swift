import BelfryCore
import BelfrySimulation
import Testing

@testable import BelfryDelivery

/// Eight messages at once, each taking 20 ms: 400 a second.
@Suite("Accounts take turns where all want more than can go")
struct RoundRobinTests {
    static let service = Duration.milliseconds(20)

    static func scene(seed: UInt64, _ change: (inout DispatcherSettings) -> Void = { _ in })
        -> Scene
    {
        var settings = DispatcherSettings()
        settings.sends = 8
        settings.shipmentMessages = 1
        change(&settings)
        return Scene(seed: seed, settings: settings) { _, world in
            try? await world.sleep(for: service)
            return .sent(reference: nil)
        }
    }

    /// A message of the small account may meet eight that are under way, and a turn of the other's of at most half of that many before each of its own.
    @Test(
        "fifty times as many pushes of one account make a small one no later than a fair share does",
        arguments: 1...2
    )
    func flood(seed: UInt64) throws {
        let scene = Self.scene(seed: seed) { $0.overload.highest = nil }
        scene.run()
        scene.schedule((0..<1_000).map { scene.push("b\($0)", account: "big", after: .seconds(1)) })
        scene.schedule(
            (0..<20).map {
                scene.push("s\($0)", account: "small", after: .milliseconds(1_000 + 100 * $0))
            }
        )
        scene.world.run(for: .seconds(8))
        let small = scene.channel.deliveries.filter { $0.message.recipient.account == "small" }
        #expect(small.count == 20)
        let worst = try #require(small.map { $0.at - $0.message.due }.max())
        #expect(worst <= Self.service * 2, "one was \(worst) late")
        #expect(scene.channel.deliveries.count == 1_020)
    }

    @Test("all at once: the small account gets every other place", arguments: 1...2)
    func together(seed: UInt64) throws {
        let scene = Self.scene(seed: seed) { $0.overload.highest = nil }
        scene.run()
        scene.schedule((0..<1_000).map { scene.push("b\($0)", account: "big", after: .seconds(1)) })
        scene.schedule((0..<40).map { scene.push("s\($0)", account: "small", after: .seconds(1)) })
        scene.world.run(for: .seconds(6))
        let places = scene.channel.deliveries.indices.filter {
            scene.channel.deliveries[$0].message.recipient.account == "small"
        }
        #expect(places.count == 40)
        // Alone the last would have had place 39; the other's messages take as many, and a round that was under way.
        #expect(try #require(places.last) <= 2 * 40 + 8)
    }

    @Test("places are shared by weight", arguments: 1...2)
    func weights(seed: UInt64) {
        let scene = Self.scene(seed: seed) { $0.overload.highest = nil }
        scene.limits["a"] = AccountLimit(weight: 3)
        scene.limits["b"] = AccountLimit(weight: 1)
        scene.run()
        for account in ["a", "b"] {
            scene.schedule(
                (0..<600).map {
                    scene.push("\(account)\($0)", account: account, after: .seconds(1))
                }
            )
        }
        scene.world.run(for: .seconds(2))
        let count = Double(scene.channel.deliveries.count)
        let share = Double(scene.channel.ids.count { $0.hasPrefix("a") }) / count
        #expect((0.72...0.78).contains(share), "\(share) of \(count)")
        scene.world.run(for: .seconds(5))
        #expect(scene.channel.deliveries.count == 1_200)
    }

    @Test("a slow account's messages leave places for the others", arguments: 1...2)
    func slow(seed: UInt64) {
        var settings = DispatcherSettings()
        settings.sends = 8
        settings.shipmentMessages = 1
        let scene = Scene(seed: seed, settings: settings) { message, world in
            let isSlow = message.recipient.account == "slow"
            try? await world.sleep(for: isSlow ? .hours(1) : .milliseconds(20))
            return .sent(reference: nil)
        }
        scene.run()
        scene.schedule((0..<50).map { scene.push("s\($0)", account: "slow") })
        scene.schedule((0..<100).map { scene.push("f\($0)", account: "fast", after: .seconds(1)) })
        scene.world.run(for: .seconds(4))
        #expect(scene.channel.ids.count { $0.hasPrefix("f") } == 100)
    }

    @Test(
        "a higher band goes first, whoever's it is, and a low one does not starve",
        arguments: 1...2
    )
    func bands(seed: UInt64) throws {
        let scene = Self.scene(seed: seed) {
            $0.sends = 2
            $0.ageing = .seconds(2)
            $0.overload.highest = nil
        }
        scene.run()
        // A hundred a second can go. High: two seconds' worth at once, and then more than can go.
        scene.schedule((0..<200).map { scene.push("h\($0)", priority: .high) })
        scene.schedule((0..<10).map { scene.push("l\($0)", account: "b", priority: .low) })
        scene.schedule(
            (0..<1_000).map {
                scene.push("i\($0)", after: .milliseconds(8 * $0), priority: .high)
            }
        )
        scene.world.run(for: .milliseconds(3_900))
        #expect(!scene.channel.ids.contains { $0.hasPrefix("l") })
        scene.world.run(for: .milliseconds(3_600))
        let low = scene.channel.deliveries.filter { $0.message.id.text.hasPrefix("l") }
        #expect(low.count == 10)
    }
}
