/// What a push may measure. Every limit is checked when a push is packed (``PushBatch``), so an engine never sees more.
package enum PushLimits {
    package static let idBytes = 512
    package static let accountBytes = 128
    package static let personBytes = 128
    package static let channelBytes = 64
    package static let mergeKeyBytes = 128
    /// WeChat's largest message is far below this; a webhook body of 64 KiB is the common upper bound.
    package static let payloadBytes = 65_536
    /// One batch is one journal record and one answer; larger requests are split by the caller.
    package static let batchPushes = 10_000
    package static let batchBytes = 16 * 1024 * 1024
    package static let collected = 16
    /// Due times further ahead are a unit mistake (seconds for milliseconds) far more often than a wish.
    package static let horizon = Duration.days(366 * 20)
    /// A lease longer than this would hide a dead worker for too long.
    package static let lease = Duration.minutes(10)
}

/// A push that breaks ``PushLimits``: which field, and what is allowed.
package struct InvalidPush: Error, Sendable, Hashable, CustomStringConvertible {
    package var field: String
    package var problem: String

    package init(field: String, problem: String) {
        self.field = field
        self.problem = problem
    }

    package var description: String { "\(field): \(problem)" }
}
