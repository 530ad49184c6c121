package import BelfryCore
package import BelfryRecords
package import Logging
import ServiceLifecycle
import Synchronization

/// Looks once, after the start, whether the records' file is sound: damage would otherwise show only when the damaged page is needed.
///
/// Beside the work, not before it: the time grows with the file, and what is due should not wait for a page of history. What is found makes
/// the server not ready and stands in the log, because going on or putting a copy back is for the operator to decide. Records that are too
/// large to be read through beside the work are left to `belfry doctor`.
package final class RecordsCheck: Service {
    private let records: Records
    private let clock: any WallClock
    private let logger: Logger
    private let limit: Int
    private let problem = Mutex<String?>(nil)

    /// - Parameter limit: in bytes; what is larger is not read through. Four GiB are read within a minute by most disks.
    package init(
        records: Records,
        clock: any WallClock,
        logger: Logger,
        limit: Int = 4 << 30
    ) {
        self.limit = limit
        self.records = records
        self.clock = clock
        self.logger = logger
    }

    /// For readiness; no problem is known before the look is over.
    package var check: Check { Check("records-file", problem: problem.withLock { $0 }) }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.look() }
        // A service that ends ends all. Cancelled instead of asked: it ends all the same.
        try? await gracefulShutdown()
    }

    /// Looks once; ``check`` then says what was found.
    package func look() async {
        let began = clock.steadyMilliseconds()
        do {
            let size = try await records.size()
            guard size <= limit else {
                logger.notice(
                    "the records are too large to be checked beside the work: `belfry doctor` does",
                    metadata: ["bytes": "\(size)", "limit": "\(limit)"]
                )
                return
            }
            let found = try await records.verifyStructure()
            guard !Task.isCancelled else { return }
            let took = "\(clock.steadyMilliseconds() - began) ms"
            guard !found.isEmpty else {
                logger.debug("the records are sound", metadata: ["took": "\(took)"])
                return
            }
            report(found.joined(separator: "; "))
        } catch {
            guard error.code != .closed else { return }
            report("the check failed: \(error)")
        }
    }

    private func report(_ text: String) {
        problem.withLock { $0 = text }
        logger.critical(
            "the records are damaged; stop the server, run `belfry doctor` and put a copy back",
            metadata: ["problems": "\(text.prefix(2000))"]
        )
    }
}
