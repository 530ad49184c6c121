import BelfryCore
import BelfryJournal
import BelfryRecords
import BelfryServer
import BelfryTestSupport
import BelfryWeChatSimulator
import Testing

/// A server that died between reserving a message's permission and writing down that it was sent.
@Suite("Interrupted sends")
struct InterruptedSendTests {
    /// Leaves the traces of a server that died when it had reserved the permission for a push.
    private func reserve(
        _ person: String,
        in world: World,
        made: Timestamp,
        maker: ReservationMaker? = nil
    ) async throws {
        try await world.run { node in
            let pending = try #require(
                try await node.timeline.find([world.pushID(person)]).first ?? nil
            )
            let key = ReservationKey(
                recipient: world.recipient(person),
                push: world.pushID(person),
                sequence: pending.sequence
            )
            let source = try #require(
                try await node.records.people.find(world.recipient(person))?.grants.first
            )
            let recipient = world.recipient(person)
            try await node.records.ledger.update([key]) { ledger throws(RecordsError) in
                ledger[reservation: key] = Reservation(
                    source: source.source,
                    granted: source.granted,
                    made: made,
                    maker: maker,
                    send: ReservedSend(
                        channel: "wechat",
                        due: pending.push.due,
                        attempt: 0,
                        flow: "hello",
                        step: "hello"
                    )
                )
                ledger[grants: recipient][0].used += 1
            }
        }
    }

    @Test("a message that may have been sent before a crash is unknown, and not sent a second time")
    func crashed() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            var person = ""
            try await world.run { _ in person = try await world.follower() }
            try await reserve(person, in: world, made: world.clock.now())
            world.clock.pass(to: world.clock.now() + .seconds(1))
            try await world.run { node in
                try await world.pass(node)
                let end = try #require(try await world.history(node, person).last)
                #expect(end.state == .ended(.unknown))
                #expect(end.cause.code == "interrupted")
                #expect(!end.cause.remedy.isEmpty)
                // What may have been sent was counted.
                let grants = try await node.records.people.find(world.recipient(person))?.grants
                #expect(grants?.first?.used == 1)
            }
            #expect(world.seen(person).isEmpty)
        }
    }

    @Test(
        "permission that a waiting push keeps outlives every purge, and is given back when it is gone"
    )
    func kept() async throws {
        try await World.with(flow: World.greeting(after: 900)) { world in
            var person = ""
            try await world.run { _ in person = try await world.follower() }
            try await reserve(person, in: world, made: Timestamp(milliseconds: 0))
            try await world.run { node in
                let sweep = KeptReservations(
                    records: node.records,
                    timeline: node.timeline,
                    accounts: node.accounts
                )
                func used() async throws -> Int? {
                    try await node.records.people.find(world.recipient(person))?.grants.first?.used
                }
                try await node.records.purge(RetentionRules())
                #expect(try await sweep.sweep() == 0)
                #expect(try await used() == 1)
                _ = try await node.timeline.cancel([world.pushID(person)])
                #expect(try await sweep.sweep() == 1)
                #expect(try await used() == 0)
                #expect(try await sweep.sweep() == 0)
            }
        }
    }

    @Test("a send that a crash cut off after its push was cancelled ends as unknown, once")
    func cancelledBeforeCrash() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            var person = ""
            try await world.run { _ in person = try await world.follower() }
            try await reserve(person, in: world, made: world.clock.now())
            // Nothing but the reservation is left of a push that was cancelled in flight.
            try await world.run { node in
                _ = try await node.timeline.cancel([world.pushID(person)])
                // This process has not reserved it: only a later one knows that its maker is gone.
                #expect(try await world.ends(node, person).isEmpty)
            }
            world.clock.pass(to: world.clock.now() + .seconds(1))
            for _ in 0..<2 {
                try await world.run { node in
                    try await eventually("the end is told") {
                        try await !world.ends(node, person).isEmpty
                    }
                    let end = try #require(try await world.history(node, person).last)
                    #expect(end.state == .ended(.unknown))
                    #expect(end.cause.code == "interrupted")
                    #expect(end.flow == "hello" && end.step == "hello" && end.channel == "wechat")
                    try await world.pass(node)
                    #expect(try await world.ends(node, person) == [.unknown])
                    let grants = try await node.records.people.find(world.recipient(person))?.grants
                    #expect(grants?.first?.used == 1)
                }
            }
            #expect(world.seen(person).isEmpty)
        }
    }

    @Test("what a server that lives is sending is left to it, and explained when it is gone")
    func anotherLives() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            var person = ""
            let now = world.clock.now()
            try await world.run { node in
                person = try await world.follower()
                try await node.records.nodes.beat(
                    NodeRecord(node: "other", revision: 0, applied: now, seen: now)
                )
            }
            let other = ReservationMaker(node: "other", began: now)
            try await reserve(person, in: world, made: now, maker: other)
            world.clock.pass(to: now + .seconds(1))
            try await world.run { node in
                _ = try await node.timeline.cancel([world.pushID(person)])
                let sends = InterruptedSends(
                    records: node.records,
                    timeline: node.timeline,
                    clock: world.clock,
                    feed: node.feed,
                    live: node.live,
                    began: world.clock.now(),
                    logger: World.logger
                )
                let alive = try await sends.explain()
                #expect(alive.count == 0 && alive.left == 1)
                #expect(try await world.ends(node, person).isEmpty)
                world.clock.pass(to: world.clock.now() + LiveConfiguration.silence)
                let gone = try await sends.explain()
                #expect(gone.count == 1 && gone.left == 0)
                #expect(try await world.ends(node, person) == [.unknown])
            }
            #expect(world.seen(person).isEmpty)
        }
    }

    @Test(
        "a message that another server was sending when it died is unknown to one that had started before"
    )
    func diedLater() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            var person = ""
            try await world.run { _ in person = try await world.follower() }
            let other = ReservationMaker(node: "other", began: world.clock.now())
            // Reserved when this server has long been there.
            try await reserve(person, in: world, made: world.clock.now() + .days(1), maker: other)
            try await world.run { node in
                try await world.pass(node)
                #expect(try await world.ends(node, person) == [.unknown])
            }
            #expect(world.seen(person).isEmpty)
        }
    }

    @Test(
        "a send that a crash cut off after its push was replaced ends as unknown; the newer one is sent"
    )
    func replacedBeforeCrash() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            var person = ""
            try await world.run { _ in person = try await world.follower() }
            try await reserve(person, in: world, made: world.clock.now())
            world.clock.pass(to: world.clock.now() + .seconds(1))
            try await world.run { node in
                let pending = try await node.timeline.find([world.pushID(person)])
                try await node.timeline.schedule(pending.compactMap { $0?.push })
                // Whether it was explained before or after the replacement, the next start finds nothing left open.
            }
            try await world.run { node in
                try await world.pass(node)
                try await eventually("both ends are told") {
                    try await world.ends(node, person).count == 2
                }
                #expect(Set(try await world.ends(node, person)) == [.unknown, .sent])
            }
            #expect(world.seen(person).count == 1)
        }
    }

    @Test(
        "thousands of interrupted sends are explained page by page, what still waits is left alone"
    )
    func many() async throws {
        try await World.with(flow: World.greeting(after: 50)) { world in
            var waiting = ""
            try await world.run { _ in waiting = try await world.follower() }
            try await reserve(waiting, in: world, made: world.clock.now())
            let now = world.clock.now()
            let keys = (0..<1801).map { number in
                ReservationKey(
                    recipient: world.recipient("o\(number % 7)"),
                    push: PushID("own/\(number)"),
                    sequence: UInt64(number) << 40
                )
            }
            try await world.run { node in
                try await node.records.ledger.update(keys) { ledger throws(RecordsError) in
                    for (number, key) in keys.enumerated() {
                        ledger[reservation: key] = Reservation(
                            source: "message",
                            granted: now,
                            // Many of one moment, some surely not sent, and one of the time to come.
                            made: number % 9 == 0
                                ? Timestamp(milliseconds: 0)
                                : number == 1 ? now + .days(1) : now - .seconds(Int64(number % 3))
                        )
                    }
                }
            }
            world.clock.pass(to: now + .seconds(1))
            let expected = (0..<1801).filter { $0 % 9 != 0 && $0 != 1 }.count
            try await world.run { node in
                try await eventually("all ends are told") {
                    let total = try await node.records.counters.total(
                        from: now - .hours(1),
                        to: now + .hours(2),
                        bucket: .hour
                    )
                    return total[.ended(.unknown)] == expected
                }
                let left = try await node.records.ledger.load(keys).reservations
                #expect(left.count == keys.count - expected)
                #expect(try await world.ends(node, waiting).isEmpty)
            }
        }
    }

    private func slowRetries(_ configuration: inout ServerConfiguration) {
        configuration.delivery.backoffBase = .seconds(10)
    }

    @Test("a push that was tried in vain before a graceful restart is sent after it")
    func retried() async throws {
        try await World.with(
            flow: World.greeting(after: 5),
            configure: slowRetries
        ) { world in
            world.simulator.add(FaultRule(Fault(.busy), path: World.sendPath))
            var person = ""
            try await world.run { node in
                person = try await world.follower()
                let due = world.clock.now() + .seconds(5)
                try await world.pass(node, to: due)
                let states = try await world.history(node, person).map(\.state)
                #expect(states == [.waiting(.scheduled), .waiting(.retrying)])
                #expect(world.simulator.faults.isEmpty)
            }
            #expect(world.seen(person).isEmpty)
            try await world.run { node in
                try await world.pass(node)
                #expect(try await world.ends(node, person) == [.sent])
            }
            #expect(world.seen(person).count == 1)
        }
    }

    @Test("a push held by a pause over a graceful restart is sent when the pause ends")
    func held() async throws {
        try await World.with(flow: World.greeting(after: 5)) { world in
            var person = ""
            try await world.run { node in
                person = try await world.follower()
                try await node.records.accounts.pause(World.account, reason: "maintenance")
                try await node.accounts.reload(World.account)
                try await world.pass(node, to: world.clock.now() + .seconds(8))
                #expect(world.seen(person).isEmpty)
            }
            try await world.run { node in
                try await node.records.accounts.pause(World.account, reason: nil)
                try await node.accounts.reload(World.account)
                try await world.pass(node)
                #expect(try await world.ends(node, person) == [.sent])
            }
            #expect(world.seen(person).count == 1)
        }
    }
}
