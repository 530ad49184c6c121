/// What the console of a demonstration can set going.
package struct Demonstration: Sendable {
    /// Each is the last part of its address under `/console`.
    package enum Act: String, Sendable, CaseIterable {
        /// Somebody follows.
        case follow = "simulate-follow"
        /// A day of people comes by, sixty times as fast.
        case day = "replay-day"
        /// 200,000 messages become due in one second.
        case rush = "simulate-rush"
    }

    /// Returns once it is under way; throws ``Problem`` where it cannot begin.
    package var begin: @Sendable (Act) async throws -> Void

    package init(begin: @escaping @Sendable (Act) async throws -> Void) { self.begin = begin }
}
