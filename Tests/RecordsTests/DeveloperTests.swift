import BelfryCore
import BelfryRecords
import BelfrySimulation
import Foundation
import Testing

@Suite("Keys and idempotency", .eachDatabase)
struct DeveloperTests {
    @Test("a key is found by itself alone, and only its hash is in the file")
    func keys() async throws {
        let fixture = try await Fixture()
        var generator = SplitMix64(seed: 7)
        let key = KeyRecord.newKey(using: &generator)
        let other = KeyRecord.newKey(using: &generator)
        #expect(key.reveal().hasPrefix("bk_") && key.reveal().count == 46 && key != other)
        let now = fixture.clock.now()
        let record = KeyRecord(
            id: "k1",
            name: "shop backend",
            key: key,
            scopes: ["push:write", "people:read"],
            created: now,
            expires: now + .days(1)
        )
        try await fixture.records.keys.add(record)
        #expect(try await fixture.records.keys.find(key) == record)
        #expect(try await fixture.records.keys.find(other) == nil)
        let again = await failure { try await fixture.records.keys.add(record) }
        #expect(again?.code == .conflict)
        #expect(record.isValid(at: now) && !record.isValid(at: now + .days(1)))
        await fixture.records.close()
        let bytes = try await fixture.stored()
        #expect(bytes.range(of: Data("shop backend".utf8)) != nil)
        #expect(bytes.range(of: Data(key.reveal().utf8)) == nil)
    }

    @Test("a revoked key stays known and is not valid; using one is noted once a minute")
    func revoke() async throws {
        let fixture = try await Fixture()
        let key = Secret("bk_test")
        let now = fixture.clock.now()
        try await fixture.records.keys.add(
            KeyRecord(id: "k", name: "n", key: key, scopes: [], created: now)
        )
        try await fixture.records.keys.touch("k")
        fixture.clock.advance(by: .seconds(59))
        try await fixture.records.keys.touch("k")
        #expect(try await fixture.records.keys.find(key)?.lastUsed == now)
        fixture.clock.advance(by: .seconds(1))
        try await fixture.records.keys.touch("k")
        #expect(try await fixture.records.keys.find(key)?.lastUsed == now + .minutes(1))
        #expect(try await fixture.records.keys.revoke("k"))
        #expect(try await fixture.records.keys.revoke("k") == false)
        #expect(try await fixture.records.keys.find(key)?.isValid(at: now) == false)
        #expect(try await fixture.records.keys.all().map(\.id) == ["k"])
    }

    @Test("a repeated request gets its first answer; another request under its key is refused")
    func idempotency() async throws {
        let fixture = try await Fixture()
        let kept = fixture.records.idempotency
        #expect(try await kept.begin("a", fingerprint: [1]) == .begin)
        #expect(try await kept.begin("a", fingerprint: [1]) == .inProgress)
        #expect(try await kept.begin("a", fingerprint: [2]) == .mismatch)
        try await kept.finish("a", status: 201, body: [7, 8])
        #expect(try await kept.begin("a", fingerprint: [1]) == .replay(status: 201, body: [7, 8]))
        #expect(try await kept.begin("a", fingerprint: [2]) == .mismatch)
        fixture.clock.advance(by: .hours(24))
        #expect(try await kept.begin("a", fingerprint: [2]) == .begin)
        let long = String(repeating: "k", count: 10_000)
        let error = await failure { _ = try await kept.begin(long, fingerprint: [1]) }
        #expect(error?.message.hasPrefix("Idempotency-Key: ") == true)
    }

    @Test("a request whose server died may be done again; one that failed at once too")
    func abandoned() async throws {
        let fixture = try await Fixture()
        let kept = fixture.records.idempotency
        _ = try await kept.begin("a", fingerprint: [1])
        fixture.clock.advance(by: .minutes(1))
        #expect(try await kept.begin("a", fingerprint: [1]) == .begin)
        try await kept.forget("a")
        #expect(try await kept.begin("a", fingerprint: [1]) == .begin)
        try await kept.finish("a", status: 200, body: Array(repeating: 0, count: 300_000))
        #expect(try await kept.begin("a", fingerprint: [1]) == .begin)
    }
}
