import BelfryCore
import BelfryRecords
import BelfrySimulation
import Testing

@Suite("Permission ledger", .eachDatabase)
struct LedgerTests {
    private let t = Timestamp(milliseconds: 1_700_000_000_000)

    private func key(_ recipient: Recipient, _ push: PushID, _ sequence: UInt64) -> ReservationKey {
        ReservationKey(recipient: recipient, push: push, sequence: sequence)
    }

    /// The simplest decision there is: take one from the first open grant, unless that was done before.
    private func reserve(_ records: Records, _ keys: [ReservationKey]) async throws -> [Bool] {
        try await records.ledger.update(keys) { ledger in
            keys.map { key in
                if ledger[reservation: key] != nil { return true }
                var grants = ledger[grants: key.recipient]
                guard let index = grants.firstIndex(where: { $0.isOpen(at: ledger.now) }) else {
                    return false
                }
                grants[index].used += 1
                ledger[grants: key.recipient] = grants
                ledger[reservation: key] = Reservation(
                    source: grants[index].source,
                    granted: grants[index].granted,
                    made: ledger.now
                )
                return true
            }
        }
    }

    @Test(
        "a push that is claimed again after a crash finds its reservation and takes nothing twice"
    )
    func reclaimed() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        try await fixture.records.people.update(.anna) { $0.grants = [.follow(at: now)] }
        let keys = [key(.anna, "p", 7), key(.anna, "q", .max)]
        #expect(try await reserve(fixture.records, keys) == [true, true])
        await fixture.records.close()
        let again = try await fixture.reopen()
        #expect(try await reserve(again, keys) == [true, true])
        #expect(try await again.people.find(.anna)?.grants.first?.used == 2)
        // A newer version of the same push is another matter.
        #expect(try await reserve(again, [key(.anna, "p", 8)]) == [true])
        #expect(try await reserve(again, [key(.anna, "p", 9)]) == [false])
        await again.close()
    }

    @Test("concurrent reservations never spend more than was granted")
    func concurrent() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        try await fixture.records.people.update(.anna) { $0.grants = [.follow(at: now)] }
        let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
            for n in 0..<40 {
                group.addTask {
                    try await reserve(fixture.records, [key(.anna, PushID("p\(n)"), 1)])[0]
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(taken == 3)
        #expect(try await fixture.records.people.find(.anna)?.grants.first?.used == 3)
    }

    @Test("settling removes the reservation, giving back restores the grant")
    func release() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        try await fixture.records.people.update(.anna) { $0.grants = [.follow(at: now)] }
        let sent = key(.anna, "sent", 1)
        let refused = key(.anna, "refused", 2)
        _ = try await reserve(fixture.records, [sent, refused])
        try await fixture.records.ledger.update([sent, refused]) { ledger in
            ledger[reservation: sent] = nil
            ledger[reservation: refused] = nil
            ledger[grants: .anna][0].used -= 1
        }
        let after = try await fixture.records.ledger.load([sent, refused])
        #expect(after.reservations.isEmpty)
        #expect(after[grants: .anna] == [.follow(at: now, used: 1)])
    }

    @Test("a decision that throws changes nothing")
    func throwing() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        let error = await failure {
            try await fixture.records.ledger.update([key(.anna, "p", 1)]) {
                ledger throws(RecordsError) in
                ledger[grants: .anna] = [.follow(at: now)]
                throw RecordsError(.conflict, "no")
            }
        }
        #expect(error?.code == .conflict)
        #expect(try await fixture.records.people.find(.anna) == nil)
    }

    @Test("granting to a person nobody heard of makes them known")
    func unknownPerson() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        try await fixture.records.ledger.update([key(.bert, "p", 1)]) { ledger in
            ledger[grants: .bert] = [.follow(at: now)]
        }
        #expect(try await fixture.records.people.find(.bert)?.grants == [.follow(at: now)])
    }
}
