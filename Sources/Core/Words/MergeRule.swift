/// Pushes with the same merge key and recipient become one, due at `min(first + maxWait, last + grace)` (promise T8).
package struct MergeRule: Sendable, Hashable, Codable {
    /// At most ``PushLimits/mergeKeyBytes`` bytes; it counts per recipient.
    package var key: String
    /// How long after the newest push the merged one waits for another; whole milliseconds, at most 49 days.
    package var grace: Duration
    /// The longest the first push may be made to wait; whole milliseconds, at most 49 days.
    package var maxWait: Duration
    package var mode: Mode

    package enum Mode: UInt8, Sendable, Hashable, Codable {
        /// The newest payload is the one that is sent.
        case newest = 1
        /// All payloads are kept, in order of acceptance, up to ``PushLimits/collected`` of them; a further one
        /// replaces the newest. A push that is scheduled again after it merged is one more: the group does not keep the ids of those
        /// that joined it.
        case collect = 2
    }

    package init(key: String, grace: Duration, maxWait: Duration, mode: Mode = .newest) {
        self.key = key
        self.grace = grace
        self.maxWait = maxWait
        self.mode = mode
    }
}
