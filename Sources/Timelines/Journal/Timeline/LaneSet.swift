import BelfryCore
import Synchronization

/// The way to the threads of all lanes.
///
/// What is told to several lanes at once lies in the same order in all their mailboxes: so every call is before or after every other, whichever
/// lanes the two concern.
struct LaneSet: Sendable {
    private final class Order: Sendable {
        let mutex = Mutex(())
    }

    private let inboxes: [Mailbox<Command>]
    private let order = Order()

    init(_ inboxes: [Mailbox<Command>]) { self.inboxes = inboxes }

    var count: Int { inboxes.count }

    static var closed: TimelineError { TimelineError(.closed, "the timeline is closed") }

    /// Tells one lane, and waits for nothing.
    func tell(_ lane: Int, _ command: Command) { inboxes[lane].send(command) }

    /// Tells all of it at one moment.
    func tell(_ commands: [(lane: Int, command: Command)]) {
        order.mutex.withLock { _ in
            for (lane, command) in commands where !inboxes[lane].send(command) {
                command.refuse(Self.closed)
            }
        }
    }

    /// Asks one lane.
    func ask<Value: Sendable>(_ lane: Int = 0, _ command: (Reply<Value>) -> Command)
        async throws(TimelineError) -> Value
    {
        let result: Result<Value, TimelineError> = await withCheckedContinuation { continuation in
            let command = command(.alone(continuation))
            if !inboxes[lane].send(command) { command.refuse(Self.closed) }
        }
        return try result.get()
    }

    /// Asks all lanes at one moment.
    func askAll<Value: Sendable>(_ command: (Reply<Value>) -> Command) async
        -> [Result<Value, TimelineError>]
    {
        let answers = Gathering<Value>(count)
        tell((0..<count).map { ($0, command(answers[$0])) })
        return await answers.all()
    }

    func close() {
        for inbox in inboxes { inbox.send(.close(nil)) }
    }
}
