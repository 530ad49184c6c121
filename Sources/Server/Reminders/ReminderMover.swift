import BelfryCore
import BelfryRecords
import Logging
import ServiceLifecycle

/// Moves everybody when a topic has changed: what an earlier process left undone first, then whatever the bell rings for. Of several servers over the
/// same records one does it; the others look every second whether it is done, and go on where that one stopped.
struct ReminderMover: Service {
    let desk: ReminderDesk
    let lead: Lead
    let clock: any WallClock
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var rings = desk.bell.rings.makeAsyncIterator()
            while !Task.isCancelled {
                do {
                    if try await moveAll() {
                        guard await rings.next() != nil else { return }
                    } else {
                        try await clock.sleep(for: .seconds(1))
                    }
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("topics not moved", metadata: ["error": "\(error)"])
                    // Cancelled while waiting: the loop ends.
                    try? await clock.sleep(for: .seconds(5))
                }
            }
        }
    }

    /// - Returns: whether everybody has followed; otherwise some are on their way out, or another server moves them.
    private func moveAll() async throws -> Bool {
        let keys = try await desk.records.topics.toMove()
        guard !keys.isEmpty else { return true }
        guard try await leads() else { return false }
        // Whoever moves people goes by what was written last.
        try await desk.books?.catchUp()
        let isDone = try await move(keys)
        if desk.records.isShared { try await lead.resign() }
        return isDone
    }

    private func leads() async throws -> Bool {
        guard desk.records.isShared else { return true }
        return try await lead.take()
    }

    private func move(_ keys: [String]) async throws -> Bool {
        var isDone = true
        for key in keys {
            guard let revision = desk.topics[key]?.revision else { continue }
            if try await !move(key, to: revision) { isDone = false }
        }
        return isDone
    }

    /// - Returns: whether everybody has followed.
    private func move(_ key: String, to revision: Int) async throws -> Bool {
        while true {
            guard let left = try await pass(over: key), left == 0 else { return false }
            if try await desk.records.topics.finishMove(key, to: revision) { return true }
            // Somebody had looked at the topic before it moved, and subscribed after the pass.
        }
    }

    /// - Returns: how many are on their way out; `nil`: another server leads now.
    private func pass(over key: String) async throws -> Int? {
        var person = ""
        var left = 0
        while true {
            try Task.checkCancellation()
            guard try await leads() else { return nil }
            let step = try await desk.move(key, after: person)
            left += step.left
            guard let next = step.next else { return left }
            person = next
        }
    }
}

/// Wakes the mover. Ringing twice before it looks is ringing once.
package struct MoverBell: Sendable {
    fileprivate let rings: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    package init() {
        (rings, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    package func ring() { continuation.yield() }
}
