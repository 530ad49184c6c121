import BelfryCore
import BelfryRabbitMQProcess
import Foundation
import Synchronization

/// Takes every message out of the queue as it comes, and notes whose it is and when it came: what the judgement rests on.
final class QueueWatch: Sendable {
    struct Arrival: Sendable {
        var person: Int
        var at: Timestamp
    }

    private struct State {
        var arrivals: [Arrival] = []
        var strangers = 0
        var failure: String?
        var isOver = false
    }

    private let state = Mutex(State())

    /// Begins to take messages, on a thread of its own.
    init(_ broker: RabbitMQProcess, _ queue: String, crowd: Crowd) {
        let thread = Thread { [self] in
            do { try watch(RabbitMQConsumer(broker, queue), crowd) } catch {
                state.withLock { $0.failure = "the queue cannot be read: \(error)" }
            }
        }
        thread.start()
    }

    func stop() { state.withLock { $0.isOver = true } }

    var count: Int { state.withLock { $0.arrivals.count } }

    /// Everything that has come, in order, and how many messages were for nobody of the crowd.
    ///
    /// - Throws: ``ClusterDemoFailure`` where the queue could not be read to this moment.
    func arrivals() throws -> (ours: [Arrival], strangers: Int) {
        let state = state.withLock { $0 }
        if let failure = state.failure { throw ClusterDemoFailure(failure) }
        return (state.arrivals, state.strangers)
    }

    private func watch(_ consumer: RabbitMQConsumer, _ crowd: Crowd) throws {
        let clock = SystemClock()
        while !state.withLock({ $0.isOver }) {
            guard let message = try consumer.next() else { continue }
            let now = clock.now()
            let person = message.headers["belfry-person"].flatMap { crowd.person($0) }
            state.withLock { state in
                if let person {
                    state.arrivals.append(Arrival(person: person, at: now))
                } else {
                    state.strangers += 1
                }
            }
        }
    }
}
