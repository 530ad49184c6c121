import BelfryCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What may be set about the embedded engine. The defaults suit a machine that does other things too.
package struct JournalConfiguration: Sendable {
    /// Lanes that the pushes are spread over, 1 to 64. A folder with another number is brought to this one at opening, which writes all pending
    /// pushes once. `nil`: as many as the folder has, and ``usualLanes`` in a new one.
    package var lanes: Int?
    /// A due push moves up one priority band each time it has waited this long (promise T7). At least a millisecond.
    package var ageing = Duration.seconds(60)
    /// Journal bytes after which a checkpoint is written. A reopening replays so many at most. Where much of the journal is spent, a quarter of it
    /// is enough.
    package var checkpointBytes = 256 << 20
    /// Journal bytes that are sorted into runs at a time.
    package var sliceBytes = 64 << 20
    /// Pushes due later than this wait in the journal, and take neither memory nor a place in the wheel.
    package var farWindow = Duration.minutes(10)
    /// Pushes due later than this keep no payload in memory after a checkpoint (promise T9). At most ``farWindow``.
    package var nearWindow = Duration.seconds(60)
    /// How long before its due time a push is read back into memory, where an alarm is waiting.
    package var lookAhead = Duration.seconds(5)
    /// With more pushes than this in memory nothing is read ahead: what is due is then read as it is claimed.
    package var aheadPushes = 200_000
    /// After a checkpoint so many pushes are pointed at their run between two calls.
    package var adoptedPushes = 8192
    /// Bytes of a run that are read at a time.
    package var blockBytes = 128 << 10
    /// Room in the journal that only cancels and settlements may use (promise T11).
    package var headroomBytes = 4 << 20
    /// Room is set aside on disk in steps of this many bytes.
    package var reserveStepBytes = 16 << 20
    /// `schedule` refuses when pending pushes take more memory than this; `nil`: no limit.
    package var memoryBytes: Int?
    /// Read all runs through once after the opening, beside the work.
    package var checksRuns = false
    /// Told of each block that turns out to be damaged, on a thread of the engine.
    package var tellDamage: @Sendable (DamagedBlock) -> Void = { _ in }
    /// Only tests that prove that the simulation sees put a fault in.
    package var mutation: Mutation?

    package init() {}

    /// One for every four cores. A lane keeps about that many busy: its own thread, its disk's, and the callers that pack for it. On two cores one lane
    /// was faster than two in every measurement (docs/benchmarks.md).
    package static let usualLanes = min(
        max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) / 4),
        Layout.lanesMax
    )

    /// What each of so many lanes gets: what is meant for the whole timeline is divided.
    func shared(among lanes: Int) -> JournalConfiguration {
        var share = self
        share.checkpointBytes = max(1, checkpointBytes / lanes)
        share.sliceBytes = max(1, sliceBytes / lanes)
        share.aheadPushes = max(1, aheadPushes / lanes)
        share.reserveStepBytes = max(min(reserveStepBytes, 1 << 20), reserveStepBytes / lanes)
        // Each lane must be able to settle and cancel when the disk is full.
        share.headroomBytes = max(min(headroomBytes, 1 << 20), headroomBytes / lanes)
        share.memoryBytes = memoryBytes.map { $0 / lanes }
        return share
    }
}
