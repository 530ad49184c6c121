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

    private func move(_ key: String, to revision: Int) async throws -> Bool {
        var person = ""
        var left = 0
        while true {
            try Task.checkCancellation()
            let step = try await desk.move(key, after: person)
            left += step.left
            guard let next = step.next else { break }
            person = next
        }
        if left > 0 { return false }
        return try await desk.records.topics.finishMove(key, to: revision)
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
