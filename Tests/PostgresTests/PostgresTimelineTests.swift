import BelfryCore
import BelfryPostgresClient
import BelfryPostgresProcess
import BelfrySimulation
import Foundation
import Testing

@testable import BelfryPostgres

/// What PostgreSQL adds to the promises: several processes, conflicts, hints, servers that go away.
@Suite("The timeline on PostgreSQL", .serialized, .postgres)
struct PostgresTimelineTests {
    private let server: PostgresProcess
    private let schema = freshSchema()

    init() throws { server = try #require(PostgresServer.current) }

    private func push(_ id: String, person: String = "o1", merge: MergeRule? = nil) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: "a", person: person),
            due: Timestamp(milliseconds: 0),
            channel: "log",
            merge: merge,
            payload: Array(id.utf8)
        )
    }

    @Test("several processes at once are lent every push once, and none waits for another")
    func shared() async throws {
        let timelines = try await timelines(4)
        let pushes = (0..<2000).map { push("p\($0)", person: "o\($0 % 50)") }
        try await timelines[0].schedule(pushes)
        let lent = try await withThrowingTaskGroup(of: [String].self) { group in
            for timeline in timelines {
                group.addTask {
                    var ids: [String] = []
                    while ids.count < 2000 {
                        let batch = try await timeline.claim(limit: 37, lease: .minutes(5))
                        ids += batch.claims.map(\.push.id.text)
                        let settlements = batch.claims.map {
                            Settlement(token: $0.token, result: .done)
                        }
                        let outcomes = try await timeline.settle(settlements)
                        #expect(outcomes.allSatisfy { $0 == .settled })
                        if try await timeline.counts().scheduled == 0 { break }
                    }
                    return ids
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(lent.count == 2000)
        #expect(Set(lent).count == 2000)
        #expect(try await timelines[0].counts() == TimelineCounts())
        try await expectEmpty()
        for timeline in timelines { await timeline.close() }
    }

    @Test("calls that meet on the same ids and groups, in other orders, are all carried out")
    func conflicts() async throws {
        let timelines = try await timelines(4)
        let rule = MergeRule(key: "k", grace: .hours(1), maxWait: .hours(2), mode: .collect)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, timeline) in timelines.enumerated() {
                group.addTask {
                    var random = SplitMix64(seed: UInt64(number))
                    for round in 0..<15 {
                        let ids = (0..<40).map { "p\($0)" }.shuffled(using: &random)
                        var pushes = ids.map { push($0) }
                        if round % 3 == 0 {
                            pushes += (0..<5).map {
                                push("m\(number)/\(round)/\($0)", person: "m\($0)", merge: rule)
                            }
                        }
                        try await timeline.schedule(pushes)
                        if round % 4 == 0 { _ = try await timeline.cancel(ids.map { PushID($0) }) }
                    }
                }
            }
            try await group.waitForAll()
        }
        // One group for each of five people, whoever was first.
        _ = try await timelines[0].cancel((0..<40).map { PushID("p\($0)") })
        #expect(try await timelines[0].counts().scheduled == 5)
        for timeline in timelines { await timeline.close() }
    }

    @Test("an id with a NUL, which no text of PostgreSQL holds, is nobody's, and spoils no batch")
    func impossibleID() async throws {
        let timeline = try await timelines(1)[0]
        try await timeline.schedule([push("one")])
        let ids: [PushID] = ["one", "a\u{0}b"]
        #expect(try await timeline.find(ids).map { $0?.push.id } == ["one", nil])
        #expect(try await timeline.cancel(ids) == [.cancelled, .gone])
        await timeline.close()
    }

    @Test("a push that is put by another process wakes who waits here")
    func hints() async throws {
        let timelines = try await timelines(2)
        // The first look after LISTEN has come about is a hint, too: wait until it is over.
        let waiting = Task {
            while true {
                try await timelines[1].alarm.wait(nextDue: try await timelines[1].nextDue())
                let batch = try await timelines[1].claim(limit: 1, lease: .seconds(60))
                if let claim = batch.claims.first { return claim.push.id }
            }
        }
        try await timelines[0].schedule([push("a")])
        #expect(try await waiting.value == "a")
        for timeline in timelines { await timeline.close() }
    }

    @Test("what is put while a look is under way is worth another look")
    func crossing() {
        let book = PostgresBook(clock: ManualClock())
        let time = { Timestamp(milliseconds: $0) }
        let early = book.begin()
        book.hint(time(5))
        book.hear(Moment(now: time(0), steady: 0, nextDue: time(100)), since: early)
        #expect(book.nextDue == time(5))
        let late = book.begin()
        book.hear(Moment(now: time(0), steady: 0, nextDue: time(100)), since: late)
        #expect(book.nextDue == time(100))
        book.hear(change: Moment(now: time(0), steady: 0, nextDue: time(7)))
        #expect(book.nextDue == time(7))
        book.hear(Moment(now: time(0), steady: 0, nextDue: nil), since: book.begin())
        #expect(book.nextDue == nil)
    }

    @Test("a push and the index that finds it when it is due leave no trace when it has ended")
    func bounded() async throws {
        let timeline = try await PostgresTimeline.on(server, schema: schema)
        for round in 0..<5 {
            try await timeline.schedule((0..<200).map { push("\(round)/\($0)") })
            let claims = try await timeline.claim(limit: 200, lease: .minutes(5)).claims
            #expect(claims.count == 200)
            let outcomes = try await timeline.settle(
                claims.map { Settlement(token: $0.token, result: .done) }
            )
            #expect(outcomes.allSatisfy { $0 == .settled })
        }
        #expect(try await timeline.counts() == TimelineCounts())
        #expect(try await timeline.nextDue() == nil)
        try await expectEmpty()
        await timeline.close()
    }

    @Test("what one process holds is not another's, and its own again when it comes back")
    func owners() async throws {
        let first = try await PostgresTimeline.on(server, schema: schema, owner: "first")
        try await first.schedule([push("a")])
        let held = try await first.claim(limit: 1, lease: .minutes(5)).claims
        let second = try await PostgresTimeline.on(server, schema: schema, owner: "second")
        #expect(try await second.claim(limit: 1, lease: .minutes(5)).claims.isEmpty)
        await first.close()
        let again = try await PostgresTimeline.on(server, schema: schema, owner: "first", seed: 2)
        let claims = try await again.claim(limit: 1, lease: .minutes(5)).claims
        #expect(claims.map(\.push.id) == ["a"])
        let late = Settlement(token: try #require(held.first).token, result: .done)
        #expect(try await again.settle([late]) == [.stale])
        await second.close()
        await again.close()
    }

    @Test("a server that was restarted is found again by the next call, whatever it is")
    func restarts() async throws {
        let timeline = try await PostgresTimeline.on(server, schema: schema)
        try await timeline.schedule([push("a")])
        server.kill()
        try await server.restart()
        #expect(try await timeline.schedule([push("b")]) == [.accepted])
        server.kill()
        try await server.restart()
        let claims = try await timeline.claim(limit: 9, lease: .seconds(60)).claims
        #expect(claims.map(\.push.id) == ["a", "b"])
        await timeline.close()
    }

    @Test("a server that does not answer holds nobody for longer than the time set")
    func watchdog() async throws {
        let timeline = try await PostgresTimeline.on(server, schema: schema) {
            $0.commandTimeout = .milliseconds(400)
            $0.patience = .milliseconds(800)
        }
        let blocker = try server.connection()
        try blocker.run("BEGIN; LOCK TABLE \(schema).pushes")
        await #expect(throws: TimelineError.self) { try await timeline.schedule([push("a")]) }
        await #expect(throws: TimelineError.self) { try await timeline.find(["a"]) }
        try blocker.run("ROLLBACK")
        #expect(try await timeline.schedule([push("a")]) == [.accepted])
        // The backends themselves are stopped: not even a refusal comes.
        let pids = try backends(blocker)
        #expect(!pids.isEmpty)
        for pid in pids { kill(pid, SIGSTOP) }
        let failure = await #expect(throws: TimelineError.self) {
            for _ in 0..<8 { _ = try await timeline.schedule([push("b")]) }
        }
        for pid in pids { kill(pid, SIGCONT) }
        #expect(failure?.code == .io)
        #expect(try await timeline.find(["a"])[0]?.state == .scheduled)
        await timeline.close()
    }

    @Test("what cannot be used is refused with the reason")
    func refusals() async throws {
        let timeline = try await PostgresTimeline.on(server, schema: schema)
        await timeline.close()
        await #expect(throws: TimelineError.self) { try await timeline.counts() }
        let other = try server.connection()
        try other.run("UPDATE \(schema).meta SET format = 99")
        let newer = await refusal { _ = try await PostgresTimeline.on(server, schema: schema) }
        #expect(newer?.code == .newerFormat)
        #expect(newer?.message.contains("format 99") == true)
        let name = await refusal { _ = try await PostgresTimeline.on(server, schema: "No-such") }
        #expect(name?.code == .invalid)
        try other.run("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
        let encoding = await refusal { _ = try await open("\(server.address("latin"))") }
        #expect(encoding?.code == .invalid)
        #expect(encoding?.message.contains("LATIN1") == true)
        let missing = await refusal { _ = try await open("\(server.address("missing"))") }
        #expect(missing?.code == .io)
        #expect(missing?.message.contains("missing") == true)
    }

    @Test("a server that would lose what it accepts is not used")
    func audit() async throws {
        let other = try server.connection()
        #expect(try PostgresAudit.findings(on: other).isEmpty)
        try other.run("SET synchronous_commit = off")
        let found = try PostgresAudit.findings(on: other)
        #expect(found.map(\.setting) == ["synchronous_commit"])
        #expect(found.map(\.weight) == [.refused])
    }

    // MARK: Helpers

    private func timelines(_ count: Int) async throws -> [PostgresTimeline] {
        var timelines: [PostgresTimeline] = []
        for number in 0..<count {
            timelines.append(
                try await PostgresTimeline.on(
                    server,
                    schema: schema,
                    owner: "node\(number)",
                    seed: UInt64(number)
                ) { $0.connections = 2 }
            )
        }
        return timelines
    }

    @Test("refuses to share its schema with other records")
    func records() async throws {
        func open(_ records: String) async throws {
            var configuration = PostgresConfiguration(owner: "test")
            configuration.schema = schema
            configuration.records = records
            let timeline = try await PostgresTimeline.open(
                try PostgresAddress(server.address()),
                configuration: configuration,
                seed: 1
            )
            if !records.isEmpty { try await timeline.hold() }
            await timeline.close()
        }
        // As a version left it that knew no records.
        try await open("")
        try await open("ours")
        try await open("ours")
        let error = await refusal { try await open("other") }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("other records (ours; these are other)") == true)
        // What the message says to do where those records are lost.
        try server.connection().run("DELETE FROM \(schema).holder")
        try await open("other")
    }

    private func open(_ address: String) async throws -> PostgresTimeline {
        try await PostgresTimeline.open(
            try PostgresAddress(address),
            configuration: PostgresConfiguration(owner: "test"),
            seed: 1
        )
    }

    private func refusal(_ body: () async throws -> Void) async -> TimelineError? {
        await #expect(throws: TimelineError.self) { try await body() }
    }

    /// The processes that serve the schema, except the one that listens.
    private func backends(_ connection: PostgresConnection) throws -> [pid_t] {
        let rows = try connection.query(
            """
            SELECT pid FROM pg_stat_activity
            WHERE application_name = 'belfry' AND pid <> pg_backend_pid() AND query NOT LIKE 'LISTEN%'
            """
        )
        return (0..<rows.count).map { pid_t(rows.number($0, 0)) }
    }

    /// Nothing is kept of what has ended.
    private func expectEmpty() async throws {
        let rows = try server.connection().query(
            "SELECT (SELECT count(*) FROM \(schema).pushes), (SELECT count(*) FROM \(schema).parked)"
        )
        #expect([rows.number(0, 0), rows.number(0, 1)] == [0, 0])
    }
}

@Suite("The address of a PostgreSQL")
struct PostgresAddressTests {
    @Test("is read as libpq reads it, and shown without the password")
    func shown() throws {
        let address = try PostgresAddress(
            "postgres://shop:geh%40im@db.example:6000/pushes?sslmode=require"
        )
        #expect(address.description == "postgres://shop@db.example:6000/pushes")
        let two = try PostgresAddress("postgresql://u:x@a,b:7/db?target_session_attrs=read-write")
        #expect(two.description.hasPrefix("postgres://u@a:"))
        #expect(!two.description.contains("x@"))
    }

    @Test(
        "is refused without showing the password",
        arguments: [
            "http://u:geheim@h", "postgres://u:geheim@[h", "postgres://u:geheim@h/db?nonsense=1",
            "postgres://u:geheim%zz@h/db", "postgres:///db",
        ]
    )
    func refused(text: String) {
        let failure = #expect(throws: PostgresFailure.self) { try PostgresAddress(text) }
        #expect(failure?.code == .invalid)
        #expect(failure?.message.contains("geheim") == false)
    }
}
