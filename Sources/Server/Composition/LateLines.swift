import BelfryCore
package import BelfryRecords
package import Logging
import Synchronization

/// Writes lines of the history behind the requests that they come from: many requests' lines in one transaction, and no request waits.
///
/// What waits is bounded: a flood of replacements is accepted at full speed, and the lines that the records cannot keep up with are left
/// out, counted in the log. They are told nowhere else, so what is essential is not written this way.
package final class LateLines: Sendable {
    private struct State {
        var waiting: [DeliveryRecord] = []
        var left = 0
        var isWriting = false
        var standIn: UInt64 = 0
    }

    private let records: Records
    private let feed: LiveFeed
    private let logger: Logger
    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: how many lines may wait.
    package init(records: Records, feed: LiveFeed, logger: Logger, limit: Int = 20_000) {
        self.records = records
        self.feed = feed
        self.logger = logger
        self.limit = limit
    }

    package func add(_ lines: [DeliveryRecord]) {
        let mustWrite = state.withLock { state in
            let room = max(0, limit - state.waiting.count)
            state.waiting += lines.prefix(room)
            state.left += max(0, lines.count - room)
            defer { state.isWriting = state.isWriting || !state.waiting.isEmpty }
            return !state.isWriting && !state.waiting.isEmpty
        }
        if mustWrite { Task { await write() } }
    }

    /// Stands in for the sequence of a version that the timeline does not tell: the time, or a little later, so that no two of one push are taken for the same.
    func standIn(at now: Timestamp) -> UInt64 {
        state.withLock { state in
            state.standIn = max(state.standIn + 1, UInt64(max(0, now.milliseconds)))
            return state.standIn
        }
    }

    /// How many lines may still be added without being left out.
    var room: Int { state.withLock { max(0, limit - $0.waiting.count) } }

    /// Writes what waits; before the records are closed.
    package func finish() async { await write() }

    private func write() async {
        while true {
            let (lines, left) = state.withLock { state in
                let lines = Array(state.waiting.prefix(1_000))
                state.waiting.removeFirst(lines.count)
                if lines.isEmpty { state.isWriting = false }
                defer { state.left = 0 }
                return (lines, state.left)
            }
            if left > 0 { logger.warning("lines left out", metadata: ["count": "\(left)"]) }
            guard !lines.isEmpty else { return }
            do {
                try await records.deliveries.append(lines)
                feed.publish(lines)
            } catch {
                logger.error(
                    "late lines not recorded",
                    metadata: ["count": "\(lines.count)", "error": "\(error)"]
                )
            }
        }
    }
}
