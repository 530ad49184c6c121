package import BelfryCore
import Synchronization

/// One thing that happened, on its way to event streams.
package struct LiveEvent: Sendable, Hashable {
    /// `delivery`, `person`, `stats`, `account`.
    package var topic: String
    /// Whom it concerns, to filter by; may be empty.
    package var account: String
    package var person: String
    package var data: JSONValue

    package init(topic: String, account: String = "", person: String = "", data: JSONValue) {
        self.topic = topic
        self.account = account
        self.person = person
        self.data = data
    }
}

/// Carries events from where they happen to whoever listens. Publishing never waits: a listener that falls behind loses the oldest.
package final class LiveFeed: Sendable {
    /// Each listener costs a buffer and a share of every publish.
    package static let listenersMax = 256
    static let bufferMax = 256

    struct Numbered: Sendable {
        let id: UInt64
        let event: LiveEvent
    }

    private struct State {
        var nextID: UInt64 = 1
        var nextListener = 0
        var listeners: [Int: AsyncStream<Numbered>.Continuation] = [:]
        /// The newest events, for a listener that comes back with `Last-Event-ID`.
        var recent: [Numbered] = []
        var dropped = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var listeners: Int { state.withLock { $0.listeners.count } }

    /// The id of the newest event; 0 before the first.
    var newest: UInt64 { state.withLock { $0.nextID - 1 } }

    /// How many events slow listeners have lost.
    package var dropped: Int { state.withLock { $0.dropped } }

    package func publish(_ event: LiveEvent) {
        state.withLock { state in
            let numbered = Numbered(id: state.nextID, event: event)
            state.nextID += 1
            state.recent.append(numbered)
            if state.recent.count > 2 * Self.bufferMax {
                state.recent.removeFirst(Self.bufferMax)
            }
            for continuation in state.listeners.values {
                if case .dropped = continuation.yield(numbered) { state.dropped += 1 }
            }
        }
    }

    /// Listens from now on, or from behind `last` where that is still remembered.
    ///
    /// - Returns: `nil` with ``listenersMax`` listeners already there. The stream ends when its reader goes away.
    func listen(after last: UInt64?) -> AsyncStream<Numbered>? {
        let (stream, continuation) = AsyncStream<Numbered>
            .makeStream(bufferingPolicy: .bufferingNewest(Self.bufferMax))
        let id: Int? = state.withLock { state in
            guard state.listeners.count < Self.listenersMax else { return nil }
            state.nextListener += 1
            state.listeners[state.nextListener] = continuation
            if let last {
                for numbered in state.recent.suffix(Self.bufferMax) where numbered.id > last {
                    continuation.yield(numbered)
                }
            }
            return state.nextListener
        }
        guard let id else { return nil }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.listeners[id] = nil }
        }
        return stream
    }

    /// Ends every stream: the server is stopping.
    package func finish() {
        let listeners = state.withLock { state in
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
