import BelfryCore
import BelfryJournal
import BelfryRecords
import BelfryServer
import BelfryTestSupport
import BelfryWeChatSimulator
import Foundation
import Testing

/// From the callback of a follow to the message that the person sees.
@Suite("From a follow to its messages")
struct FollowTests {
    @Test("a follow becomes a text five seconds later, and the next step follows that one")
    func firstSlice() async throws {
        try await World.with { world in
            try await world.run { node in
                let person = try await world.follower()
                try await world.pass(node)
                let seen = world.seen(person)
                #expect(seen.map(\.text) == ["Hello", "Still there?"])
                let records = try await world.history(node, person)
                let dues = records.filter { $0.state == .waiting(.scheduled) }.map(\.due)
                try #require(dues.count == 2)
                for (message, due) in zip(seen, dues) {
                    #expect(message.time >= due.milliseconds)
                    #expect(message.permitted)
                }
                #expect(dues[1] - dues[0] >= .seconds(10))
                #expect(try await world.ends(node, person) == [.sent, .sent])
            }
        }
    }

    @Test("a step that is due at once waits until its person and permission are recorded")
    func immediately() async throws {
        let flow = """
            key: hello
            trigger: follow
            steps:
              - id: first
                when: immediately
                text: Hello at once
            """
        try await World.with(flow: flow) { world in
            try await world.run { node in
                var people: [String] = []
                for _ in 0..<20 { people.append(try await world.follower()) }
                try await world.pass(node)
                for person in people {
                    let history = try await world.history(node, person)
                    #expect(world.seen(person).map(\.text) == ["Hello at once"], "\(history)")
                }
            }
        }
    }

    @Test("a push that waits outlives a restart, and is sent once")
    func restart() async throws {
        try await World.with { world in
            var person = ""
            try await world.run { _ in person = try await world.follower() }
            #expect(world.seen(person).isEmpty)
            for _ in 0..<2 { try await world.run { try await world.pass($0) } }
            #expect(world.seen(person).map(\.text) == ["Hello", "Still there?"])
            #expect(world.simulator.summary.duplicated == 0)
        }
    }

    @Test("an unsubscribe cancels everything that waits, a second follow begins anew")
    func leaving() async throws {
        try await World.with { world in
            try await world.run { node in
                let person = try await world.follower()
                try await world.simulator.unfollow(world.appID, openID: person)
                let found = try await node.timeline.find([world.pushID(person)])
                #expect(found.compactMap(\.self).isEmpty)
                try await world.pass(node)
                #expect(world.seen(person).isEmpty)
                #expect(world.simulator.refusals().isEmpty)
                #expect(try await world.ends(node, person) == [.unsubscribed])

                world.clock.pass(to: world.clock.now() + .seconds(60))
                try await world.simulator.follow(world.appID, openID: person)
                try await world.pass(node)
                #expect(world.seen(person).map(\.text) == ["Hello", "Still there?"])
                #expect(try await world.ends(node, person) == [.unsubscribed, .sent, .sent])
            }
        }
    }

    @Test("the index of who is inside follows people through a flow, out of it and back")
    func inside() async throws {
        try await World.with { world in
            try await world.run { node in
                func inside() async throws -> Set<String> {
                    let page = try await node.records.insiders.list(
                        account: World.account,
                        flow: "hello"
                    )
                    return Set(page.items.map(\.recipient.person))
                }
                let stays = try await world.follower()
                let leaves = try await world.follower()
                #expect(try await inside() == [stays, leaves])
                try await world.simulator.unfollow(world.appID, openID: leaves)
                #expect(try await inside() == [stays])
                try await world.pass(node, to: world.clock.now() + .seconds(8))
                #expect(world.seen(stays).map(\.text) == ["Hello"])
                #expect(try await inside() == [stays])
                world.clock.pass(to: world.clock.now() + .seconds(1))
                try await world.simulator.follow(world.appID, openID: leaves)
                #expect(try await inside() == [stays, leaves])
                try await world.pass(node)
                #expect(try await inside() == [])
            }
        }
    }

    @Test("an unsubscribe between two steps cancels the second")
    func leavingBetween() async throws {
        try await World.with { world in
            try await world.run { node in
                let person = try await world.follower()
                try await world.pass(node, to: world.clock.now() + .seconds(8))
                #expect(world.seen(person).map(\.text) == ["Hello"])
                try await world.simulator.unfollow(world.appID, openID: person)
                try await world.pass(node)
                #expect(world.seen(person).map(\.text) == ["Hello"])
                #expect(world.simulator.refusals().isEmpty)
                #expect(try await world.ends(node, person) == [.sent, .unsubscribed])
            }
        }
    }

    @Test(
        "an unsubscribe while a message is on its way: that one ends, none follows, each has one end"
    )
    func leavingInFlight() async throws {
        try await World.with { world in
            try await world.run { node in
                world.simulator.add(
                    FaultRule(Fault(.slow(.milliseconds(700))), path: World.sendPath)
                )
                let person = try await world.follower()
                world.clock.pass(to: world.clock.now() + .seconds(5))
                try await eventually("the send is in flight") { world.simulator.faults.isEmpty }
                try await world.simulator.unfollow(world.appID, openID: person)
                try await world.pass(node)
                #expect(world.seen(person).map(\.text) == ["Hello"])
                #expect(world.simulator.refusals().isEmpty)
                let states = try await world.history(node, person).map(\.state)
                #expect(states.count { $0 == .ended(.sent) } == 1)
                let planned = states.count { $0 == .waiting(.scheduled) }
                #expect(try await world.ends(node, person).count == planned)
            }
        }
    }

    @Test("copies of a callback change nothing, not even after a restart")
    func copies() async throws {
        try await World.with { world in
            var person = ""
            try await world.run { node in
                try world.simulator.holdCallbacks(of: world.appID)
                person = try await world.simulator.follow(world.appID).openID
                try await world.simulator.releaseCallbacks(of: world.appID, copies: 4)
                try world.simulator.disorder(
                    CallbackDisorder(duplicates: 1),
                    of: world.appID
                )
                try await world.pass(node)
            }
            try await world.run { node in
                try world.simulator.disorder(
                    CallbackDisorder(duplicates: 1),
                    of: world.appID
                )
                try await world.simulator.say("hi", by: person, to: world.appID)
                try await world.pass(node)
                let planned = try await world.history(node, person).filter {
                    $0.state == .waiting(.scheduled)
                }
                #expect(planned.count == 2)
            }
            #expect(world.seen(person).map(\.text) == ["Hello", "Still there?"])
        }
    }

    @Test("a word that we hear of late opens a window with what was sent after it taken off")
    func lateWord() async throws {
        let flow = """
            key: hello
            trigger: message
            reentry: once
            steps:
              - id: one
                when: immediately
                text: One
              - id: two
                after: 20s
                text: Two
            """
        try await World.with(flow: flow) { world in
            try await world.run { node in
                let person = try await world.follower()
                // The follow's minute passes, so that only the words count.
                world.clock.pass(to: world.clock.now() + .minutes(2))
                try await world.simulator.say("hi", by: person, to: world.appID)
                try await world.pass(node, to: world.clock.now() + .seconds(10))
                try world.simulator.holdCallbacks(of: world.appID)
                try await world.simulator.say("still here", by: person, to: world.appID)
                try await world.pass(node)
                #expect(world.seen(person).map(\.text) == ["One", "Two"])
                try await world.simulator.releaseCallbacks(of: world.appID)
                let record = try await node.records.people.find(world.recipient(person))
                let word = try #require(record?.grants.first { $0.source == "message" })
                // The second message came after the second word, the first before it.
                #expect(word.used == 1)
            }
        }
    }

    @Test("an unsubscribe that overtakes its follow wins: nothing is sent")
    func overtaken() async throws {
        try await World.with { world in
            try await world.run { node in
                try world.simulator.holdCallbacks(of: world.appID)
                let person = try await world.simulator.follow(world.appID).openID
                // Callbacks carry whole seconds.
                world.clock.pass(to: world.clock.now() + .seconds(2))
                try await world.simulator.unfollow(world.appID, openID: person)
                try await world.simulator.releaseCallbacks(of: world.appID, order: .reversed)
                try await world.pass(node)
                #expect(world.seen(person).isEmpty)
                #expect(world.simulator.refusals().isEmpty)
            }
        }
    }

    @Test("people in great disorder: each who stays sees each message once, who left sees none")
    func disorder() async throws {
        try await World.with { world in
            try await world.run { node in
                try world.simulator.disorder(
                    CallbackDisorder(duplicates: 0.5, swaps: 0.5),
                    of: world.appID
                )
                var stay: [String] = []
                var leave: [String] = []
                for number in 0..<30 {
                    let person = try await world.simulator.follow(world.appID).openID
                    if number % 3 == 0 { leave.append(person) } else { stay.append(person) }
                }
                world.clock.pass(to: world.clock.now() + .seconds(2))
                for person in leave {
                    try await world.simulator.unfollow(world.appID, openID: person)
                }
                // Whatever is still kept back is pushed now.
                try await world.simulator.releaseCallbacks(of: world.appID)
                try await world.pass(node)
                for person in stay {
                    #expect(world.seen(person).map(\.text) == ["Hello", "Still there?"])
                }
                for person in leave { #expect(world.seen(person).isEmpty) }
                #expect(world.simulator.summary.duplicated == 0)
            }
        }
    }

    @Test("a forged signature is answered with 401, and nothing is stored")
    func forged() async throws {
        try await World.with { world in
            try await world.run { node in
                var forged = world.settings
                forged.token = "another"
                forged.attempts = 1
                forged.callbackURL = try world.simulator.account(world.appID).callbackURL
                world.simulator.put(forged)
                let report = try await world.simulator.follow(world.appID)
                #expect(report.outcome == .failed("status 401"))
                #expect(try await node.timeline.counts().scheduled == 0)
                #expect(try await world.history(node, report.openID).isEmpty)
                let person = world.recipient(report.openID)
                #expect(try await node.records.people.find([person]).isEmpty)
            }
        }
    }
}
