package import BelfryCore
import BelfryRecords
package import Logging

extension BelfryNode {
    /// Opens it, and where a server that keeps pushes or records cannot be reached, tries again for `start.wait`: machines that start together are not
    /// ready together.
    ///
    /// - Throws: as ``open(_:clock:logger:seed:)``, what was wrong the last time; `CancellationError`.
    package static func openPatiently(
        _ configuration: ServerConfiguration,
        clock: any WallClock = SystemClock(),
        logger: Logger
    ) async throws -> BelfryNode {
        var left = configuration.start.wait
        while true {
            do {
                return try await open(configuration, clock: clock, logger: logger)
            } catch  where left > .zero && mayPass(error, configuration) {
                logger.warning(
                    "waiting for what cannot be reached",
                    metadata: ["error": "\(error)"]
                )
                let pause = min(left, .seconds(1))
                try await clock.sleep(for: pause)
                left -= pause
            }
        }
    }

    /// Whether it may be that a server is only not there yet.
    private static func mayPass(_ error: any Error, _ configuration: ServerConfiguration) -> Bool {
        switch error {
        case let error as TimelineError: error.code == .io && !configuration.timeline.url.isEmpty
        case let error as RecordsError: error.code == .io && !configuration.records.url.isEmpty
        default: false
        }
    }
}
