import BelfryCore
import BelfryRecords
import Logging
import ServiceLifecycle

/// Moves everybody when a topic has changed: what an earlier process left undone first, then whatever the bell rings for.
struct ReminderMover: Service {
    let desk: ReminderDesk
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

    /// - Returns: whether everybody has followed; otherwise some are on their way out.
    private func moveAll() async throws -> Bool {
        var isDone = true
        for key in try await desk.records.topics.toMove() {
            guard let revision = desk.topics[key]?.revision else { continue }
            if try await !move(key, to: revision) { isDone = false }
        }
        return isDone
    }

    /// - Returns: whether everybody has followed.
    private func move(_ key: String, to revision: Int) async throws -> Bool {
        while true {
            if try await pass(over: key) > 0 { return false }
            if try await desk.records.topics.finishMove(key, to: revision) { return true }
            // Somebody had looked at the topic before it moved, and subscribed after the pass.
        }
    }

    /// - Returns: how many are on their way out.
    private func pass(over key: String) async throws -> Int {
        var person = ""
        var left = 0
        while true {
            try Task.checkCancellation()
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
