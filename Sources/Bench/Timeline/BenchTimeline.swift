import BelfryCore
import BelfryJournal

extension JournalTimeline {
    /// A timeline as it is measured: everything at its default but the lanes.
    ///
    /// - Parameter lanes: `nil`: the usual number.
    static func open(
        measured folder: String,
        lanes: Int?,
        clock: any WallClock = SystemClock()
    ) async throws(TimelineError) -> JournalTimeline {
        var configuration = JournalConfiguration()
        configuration.lanes = lanes
        return try await open(folder: folder, configuration: configuration, clock: clock)
    }
}
