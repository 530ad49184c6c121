import BelfryCore
import BelfryRecords
import Testing

@Suite("What is being moved between timelines", .eachDatabase)
struct MovingRecordsTests {
    private func pending(_ id: PushID, merge: MergeRule? = nil) -> Pending {
        let due = Timestamp(milliseconds: 1_700_000_000_000)
        return Pending(
            push: Push(
                id: id,
                recipient: Recipient(account: "a", person: "o1"),
                due: due,
                expires: due + .seconds(9),
                priority: .high,
                channel: "log",
                merge: merge,
                payload: [1, 2, 0, 3]
            ),
            state: .scheduled,
            sequence: .max - 1,
            attempt: 3,
            asked: due - .seconds(5),
            accepted: due - .seconds(50),
            collected: merge == nil ? [] : [[7], []],
            group: merge == nil ? nil : .init(first: due, last: due + .seconds(1), isOpen: true)
        )
    }

    @Test("is read back as it was, asked for by id and by what merges with it, and struck out")
    func keeps() async throws {
        let fixture = try await Fixture()
        let moving = fixture.records.moving
        let rule = MergeRule(key: "k", grace: .seconds(1), maxWait: .seconds(2), mode: .collect)
        let pushes = [pending("a"), pending("b", merge: rule)]
        try await moving.add(pushes)
        try await moving.add(pushes)
        #expect(try await moving.all() == pushes)
        #expect(try await moving.holds(["x", "a"], mergingWith: []))
        #expect(try await moving.holds([], mergingWith: [pending("y", merge: rule).push]))
        #expect(try await !moving.holds(["x"], mergingWith: [pending("y").push]))
        try await moving.remove(["a", "x"])
        #expect(try await moving.all() == [pushes[1]])
    }

    @Test("one node leads, until somebody has seen its number stand still")
    func leads() async throws {
        let fixture = try await Fixture()
        let nodes = fixture.records.timelineNodes
        #expect(try await nodes.lead("t", "one", after: nil))
        #expect(try await !nodes.lead("t", "two", after: nil))
        #expect(try await nodes.lead("t", "one", after: nil))
        #expect(try await !nodes.lead("t", "two", after: 1))
        #expect(try await nodes.lead("t", "two", after: 2))
        #expect(try await nodes.leader(of: "t")?.node == "two")
        try await nodes.beat("one", epoch: 4)
        try await nodes.beat("one", epoch: 5)
        let found = try await nodes.all()
        #expect(found.map(\.node) == ["one"])
        #expect(found.map(\.epoch) == [5])
        #expect(found.map(\.beat) == [2])
    }
}
