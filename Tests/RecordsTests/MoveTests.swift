import BelfryCore
import BelfrySimulation
import Foundation
import Synchronization
import Testing

@testable import BelfryRecords

@Suite("Moving records while they are used")
struct MoveTests {
    enum Way: String, CaseIterable, Sendable {
        case toPostgres, toFile
    }

    /// Two places, and how to open the records in either.
    private struct Scene {
        let folder = Fixture.newFolder()
        let clock = ManualClock()
        let store: PostgresStore
        let schema: String
        let way: Way

        init(_ way: Way) async throws {
            self.way = way
            store = try await .shared()
            schema = store.newSchema()
        }

        var file: Records.Place { .file(folder + "/records.sqlite") }
        var target: Records.Place {
            get throws { way == .toFile ? file : try store.place(schema) }
        }

        func openFile() async throws -> Records {
            try await Records.open(
                path: folder + "/records.sqlite",
                clock: clock,
                secretKey: Fixture.secretKey
            )
        }

        func openPostgres() async throws -> Records {
            try await store.open(schema, clock, Fixture.secretKey)
        }

        func openSource() async throws -> Records {
            way == .toFile ? try await openPostgres() : try await openFile()
        }

        func openTarget() async throws -> Records {
            way == .toFile ? try await openFile() : try await openPostgres()
        }

        func close() async {
            await store.close()
            // A folder that stays behind in the temporary directory harms nobody.
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    private func delivery(_ number: Int, _ at: Timestamp) -> DeliveryRecord {
        DeliveryRecord(
            push: PushID("push/\(number)"),
            sequence: UInt64(number),
            attempt: 0,
            recipient: .anna,
            flow: nil,
            step: nil,
            channel: "log",
            due: at,
            at: at,
            state: .ended(.sent),
            cause: SendCause(code: "", message: "Grüße, 你好", remedy: "")
        )
    }

    /// Something in many tables, more than a page in one, and a number that was given and is gone.
    private func fill(_ records: Records, _ clock: ManualClock) async throws {
        var account = AccountRecord(key: "shop", kind: .webhook)
        account.webhookSecret = Secret("whsec_secret")
        try await records.accounts.save(account)
        for number in 0..<3 {
            try await records.settings.set("live", to: "{\"n\":\(number)}", by: "li")
        }
        let lines = (0..<1300).map { delivery($0, clock.now()) }
        for start in stride(from: 0, to: lines.count, by: 650) {
            _ = try await records.deliveries.append(Array(lines[start..<start + 650]))
        }
        try await records.keys.add(
            KeyRecord(
                id: "k1",
                name: "key",
                key: Secret("the key"),
                scopes: ["admin"],
                created: clock.now()
            )
        )
        try await records.audit.append(
            AuditRecord(at: clock.now(), who: "li", action: "a", subject: "s")
        )
        try await records.database.write { session throws(RecordsError) in
            try session.run("DELETE FROM deliveries WHERE push = ?", [.text("push/1299")])
        }
    }

    private func content(_ database: any SQLDatabase) async throws -> [String: Set<SQLRow>] {
        var content: [String: Set<SQLRow>] = [:]
        for table in try await database.movedTables() {
            let copy = RowCopy(table, database.moving)
            guard let last = try await copy.lastKey(in: database) else { continue }
            let rows = try await copy.rows(in: database, after: nil, upTo: last, limit: nil)
            content[table.name] = Set(rows)
        }
        return content
    }

    /// Changes, deletes and adds rows, in tables that have been copied and in such that will be.
    private func stir(_ records: Records, _ number: Int, _ clock: ManualClock) async throws {
        _ = try await records.deliveries.append([delivery(10_000 + number, clock.now())])
        try await records.settings.set("live", to: "{\"step\":\(number)}", by: "wu")
        try await records.accounts.pause("shop", reason: "step \(number)")
        try await records.database.write { session throws(RecordsError) in
            // The same push again under another number, before and behind where the copy may be.
            try session.run(
                "DELETE FROM deliveries WHERE push = ?",
                [.text("push/\(number * 100)")]
            )
            try session.run(
                "UPDATE people SET person = ? WHERE person = ?",
                [.text("moved\(number)"), .text("moved\(number - 1)")]
            )
        }
        _ = try await records.deliveries.append([delivery(number * 100, clock.now())])
    }

    @Test(
        "nothing is lost, and nothing else is there, whatever changes meanwhile",
        arguments: Way.allCases
    )
    func moves(way: Way) async throws {
        let scene = try await Scene(way)
        let records = try await scene.openSource()
        try await fill(records, scene.clock)
        let source = records.movable.current
        let steps = Mutex(0)
        let stopped = Mutex(false)
        let crowd = Task {
            var number = 20_000
            while !stopped.withLock({ $0 }) {
                _ = try await records.deliveries.append([delivery(number, scene.clock.now())])
                number += 1
            }
            return number
        }
        let report = try await records.move(
            to: try scene.target,
            from: "here",
            reached: { step in
                let number = steps.withLock { steps in
                    steps += 1
                    return steps
                }
                // Writes wait from here on, and would wait for this.
                guard ![.held, .ready, .left].contains(step) else { return }
                try await stir(records, number, scene.clock)
            }
        )
        stopped.withLock { $0 = true }
        let last = try await crowd.value
        #expect(records.movable.current !== source)
        #expect(records.isShared == (way == .toPostgres))
        #expect(report.rows["deliveries"] ?? 0 >= 1300 && report.changes > 0)
        // Every write that was acknowledged, before, while and after, is there.
        try await stir(records, 90, scene.clock)
        let pushes = try await content(records.movable.current)["deliveries"] ?? []
        let ids = Set(pushes.map { $0.text(1) })
        #expect((20_000..<last).allSatisfy { ids.contains("push/\($0)") })
        #expect(!ids.contains("push/1299") && ids.contains("push/1298"))
        let shop = try #require(try await records.accounts.find("shop"))
        #expect(shop.webhookSecret?.reveal() == "whsec_secret" && shop.paused == "step 90")
        // No number is given twice, though its row be gone: push/1299 had one.
        #expect(Set(pushes.map { $0.integer(0) }).count == pushes.count)
        await records.close()

        let refused = await failure { _ = try await scene.openSource() }
        #expect(refused?.code == .elsewhere)
        #expect(
            refused?.message.contains(try scene.target.name) == true,
            "\(refused?.message ?? "")"
        )
        let again = try await scene.openTarget()
        #expect(try await again.settings.find("live")?.value == "{\"step\":90}")
        await again.close()
        await scene.close()
    }

    @Test("ends, however fast others write", arguments: Way.allCases)
    func busy(way: Way) async throws {
        let scene = try await Scene(way)
        let records = try await scene.openSource()
        try await fill(records, scene.clock)
        // With every look there is something new.
        let writes = Mutex(0)
        let source = BusyDatabase(records.movable.current) { () throws(RecordsError) in
            let number = writes.withLock { writes in
                writes += 1
                return writes
            }
            let lines = (0..<20).map {
                delivery(100_000 + number * 20 + $0, scene.clock.now())
            }
            _ = try await records.deliveries.append(lines)
        }
        let target = try scene.target.open()
        var move = RecordsMove(
            from: source,
            to: target,
            places: ("here", "there"),
            clock: scene.clock
        )
        source.set(quiet: false)
        try await move.prepare { _ in }
        source.set(quiet: true)
        try await move.finish { _ in }
        #expect(writes.withLock { $0 } > 100 && move.report.changes > 1_000)
        #expect(try await content(target) == content(records.movable.current))
        await target.close()
        await records.close()
        await scene.close()
    }

    @Test("old and new are equal row by row, and there is a way back", arguments: Way.allCases)
    func equal(way: Way) async throws {
        let scene = try await Scene(way)
        let records = try await scene.openSource()
        try await fill(records, scene.clock)
        let before = try await content(records.movable.current)
        _ = try await records.move(to: try scene.target, from: "here")
        #expect(try await content(records.movable.current) == before)
        let full = await failure {
            _ = try await records.move(
                to: way == .toFile ? try scene.store.place(scene.schema) : scene.file,
                from: "there"
            )
        }
        #expect(full?.code == .invalid && full?.message.contains("holds records") == true)
        let free: Records.Place =
            way == .toFile
            ? try scene.store.place(scene.store.newSchema())
            : .file(scene.folder + "/back.sqlite")
        _ = try await records.move(to: free, from: "there")
        #expect(try await content(records.movable.current) == before)
        await records.close()
        await scene.close()
    }

    private struct Crash: Error {}

    @Test(
        "a crash before the switch leaves the old records in force and whole, and the next move goes through",
        arguments: Way.allCases,
        [RecordsMove.Step.watching, .copied, .caughtUp, .compared, .ready]
    )
    func crash(way: Way, at step: RecordsMove.Step) async throws {
        let scene = try await Scene(way)
        let records = try await scene.openSource()
        try await fill(records, scene.clock)
        let before = try await content(records.movable.current)
        let target = try scene.target
        let there = try target.open()
        var move = RecordsMove(
            from: records.movable.current,
            to: there,
            places: ("here", target.name),
            clock: scene.clock
        )
        await #expect(throws: Crash.self) {
            func reached(_ reached: RecordsMove.Step) throws {
                if reached == step { throw Crash() }
            }
            try await move.prepare(reached)
            try await move.finish(reached)
        }
        await there.close()
        await records.close()

        // At the very last moment the other place is whole: only the old one knows that it is not in force.
        if step != .ready {
            let half = await failure { _ = try await scene.openTarget() }
            #expect(half?.code == .elsewhere && half?.message.contains("incomplete") == true)
        }
        let again = try await scene.openSource()
        #expect(again.cutOffMove == target.name)
        #expect(try await content(again.movable.current) == before)
        try await stir(again, 1, scene.clock)
        let changed = try await content(again.movable.current)
        _ = try await again.move(to: target, from: "here")
        #expect(try await content(again.movable.current) == changed)
        await again.close()
        await scene.close()
    }

    @Test("after the switch the old records take nothing, not even from who has them open")
    func fenced() async throws {
        for way in Way.allCases {
            let scene = try await Scene(way)
            let records = try await scene.openSource()
            let other = way == .toFile ? try await scene.openSource() : nil
            try await fill(records, scene.clock)
            _ = try await records.move(to: try scene.target, from: "here")
            if let other {
                let error = await failure { try await other.accounts.pause("shop", reason: "x") }
                #expect(error?.message.contains("the records have moved") == true)
                await other.close()
            }
            await records.close()
            let place = way == .toFile ? try scene.store.place(scene.schema) : scene.file
            try await Records.reopen(place)
            let reopened = try await scene.openSource()
            try await stir(reopened, 1, scene.clock)
            await reopened.close()
            await scene.close()
        }
    }

    @Test("a move that somebody else has written into, or that fails, changes nothing")
    func refused() async throws {
        let scene = try await Scene(.toFile)
        let records = try await scene.openSource()
        let other = try await scene.openSource()
        try await fill(records, scene.clock)
        let error = await failure {
            _ = try await records.move(
                to: try scene.target,
                from: "here",
                reached: { step in
                    guard step == .ready else { return }
                    try await other.accounts.pause("shop", reason: "unseen")
                }
            )
        }
        #expect(error?.code == .conflict && error?.message.contains("accounts") == true)
        #expect(try await records.accounts.find("shop")?.paused == "unseen")
        try await stir(records, 1, scene.clock)
        await records.close()
        let again = try await scene.openSource()
        #expect(again.cutOffMove == nil)
        await again.close()
        await other.close()
        await scene.close()
    }
}
