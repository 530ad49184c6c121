import Synchronization
import Testing

@testable import BelfryServer

@Suite("Batches")
struct BatcherTests {
    struct Item: Sendable {
        var person: Int
        var number: Int
    }

    @Test("batches at work share no key, keep each key's order, and lose and double nothing")
    func keys() async throws {
        let log = Mutex((busy: [Int](), widest: 0, seen: [Item]()))
        let batcher = Batcher<Item, Int, Int>(batchLimit: 16, width: 3, key: \.person) { items in
            log.withLock { log in
                #expect(Set(log.busy).isDisjoint(with: items.map(\.person)))
                log.busy += items.map(\.person)
                log.widest = max(log.widest, items.count)
                log.seen += items
            }
            // Others get a turn while this batch is at work.
            for _ in 0..<10 { await Task.yield() }
            log.withLock { log in
                for item in items {
                    log.busy.remove(at: log.busy.firstIndex(of: item.person) ?? 0)
                }
            }
            return items.map { .success($0.number) }
        }
        let service = Task { await batcher.run() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for person in 0..<20 {
                group.addTask {
                    for number in 0..<50 {
                        let item = Item(person: person, number: number)
                        let answer = try await batcher.submit(item)
                        #expect(answer == number)
                    }
                }
            }
            try await group.waitForAll()
        }
        service.cancel()
        await service.value
        let (seen, widest) = log.withLock { ($0.seen, $0.widest) }
        #expect(widest <= 16)
        for person in 0..<20 {
            #expect(seen.filter { $0.person == person }.map(\.number) == Array(0..<50))
        }
    }

    @Test("one batch goes on while another waits, and only its own keys wait for it")
    func sideBySide() async throws {
        let (gate, opener) = AsyncStream<Void>.makeStream()
        let batcher = Batcher<Item, Int, Int>(width: 2, key: \.person) { items in
            if items.contains(where: { $0.person == 1 }) {
                for await _ in gate { break }
            }
            return items.map { .success($0.number) }
        }
        let service = Task { await batcher.run() }
        let held = Task { try await batcher.submit(Item(person: 1, number: 1)) }
        while !batcher.isBusy(1) { await Task.yield() }
        let behind = Task { try await batcher.submit(Item(person: 1, number: 2)) }
        let beside = try await batcher.submit(Item(person: 2, number: 3))
        #expect(beside == 3)
        opener.finish()
        let heldAnswer = try await held.value
        #expect(heldAnswer == 1)
        let behindAnswer = try await behind.value
        #expect(behindAnswer == 2)
        service.cancel()
        await service.value
    }

    @Test("what was accepted before the end is answered, what comes later is refused")
    func end() async throws {
        let (gate, opener) = AsyncStream<Void>.makeStream()
        let batcher = Batcher<Item, Int, Int>(width: 2, key: \.person) { items in
            for await _ in gate { break }
            return items.map { .success($0.number) }
        }
        let service = Task { await batcher.run() }
        let first = Task { try await batcher.submit(Item(person: 1, number: 1)) }
        while !batcher.isBusy(1) { await Task.yield() }
        let second = Task { try await batcher.submit(Item(person: 1, number: 2)) }
        while batcher.waiting == 0 { await Task.yield() }
        service.cancel()
        opener.finish()
        let firstAnswer = try await first.value
        #expect(firstAnswer == 1)
        let secondAnswer = try await second.value
        #expect(secondAnswer == 2)
        await service.value
        await #expect(throws: Batcher<Item, Int, Int>.Refusal.closed) {
            try await batcher.submit(Item(person: 3, number: 4))
        }
    }
}
