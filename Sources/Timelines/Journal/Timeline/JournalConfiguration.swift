import BelfryCore

/// What may be set about the embedded engine. The defaults suit a machine that does other things too.
package struct JournalConfiguration: Sendable {
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
    /// Only tests that prove that the simulation sees put a fault in.
    package var mutation: Mutation?

    package init() {}
}
