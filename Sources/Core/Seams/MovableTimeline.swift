/// What a move between engines needs beyond ``Timeline``: reading pending pushes in pages, taking them out, and putting them in as they were.
package protocol MovableTimeline: Timeline {
    /// Pending pushes that nobody holds and that can be read, some at a time, in an order of the engine's own. Changes nothing.
    ///
    /// Whoever asks page after page meets everything that was pending all the while, some of it twice.
    ///
    /// - Parameters:
    ///   - mark: what the page before said; `nil` begins.
    ///   - limit: about how many; a page that is not the last may hold fewer, even none, and somewhat more.
    func page(after mark: PageMark?, limit: Int) async throws(TimelineError) -> PendingPage

    /// Takes pushes out that are as they were read (``Pending/isUnchanged(since:)``), and leaves all others alone. Durable when it returns.
    ///
    /// - Returns: for each whether it was taken out, in order: then it will never be claimed here.
    func withdraw(_ pushes: [Pending]) async throws(TimelineError) -> [Bool]

    /// Puts pushes in as they were elsewhere: with attempts, holds, and what their merge groups are. Only numbers of acceptance are given anew, in the
    /// order of the list. An id that is pending here already is left alone. Durable when it returns.
    ///
    /// - Parameter pushes: different ids, together at most ``PushLimits/batchPushes`` payloads and half of ``PushLimits/batchBytes``.
    /// - Returns: for each whether it was put in, in order.
    func place(_ pushes: [Pending]) async throws(TimelineError) -> [Bool]

    /// Whether another push of the same recipient and merge key waits here to be joined, for each push.
    func awaitsJoining(_ pushes: [Push]) async throws(TimelineError) -> [Bool]

    /// Closes the place where pushes lie for good, unless one is pending there: who still takes it for theirs, such as a process that was halted while
    /// everything moved, is refused, and puts nothing where nobody looks.
    ///
    /// - Returns: whether it is closed.
    func retire() async throws(TimelineError) -> Bool
}

/// Where a page ends, in the words of the engine that gave it.
package struct PageMark: Sendable, Hashable {
    package var text: String

    package init(_ text: String) { self.text = text }
}

/// Some of the pushes that are pending.
package struct PendingPage: Sendable {
    package var pushes: [Pending]
    /// Where the next page begins; `nil`: this is the last.
    package var next: PageMark?

    package init(pushes: [Pending], next: PageMark?) {
        self.pushes = pushes
        self.next = next
    }
}
