package import BelfryCore
import NIOCore
import NIOPosix
import Synchronization

/// Hands messages to a RabbitMQ broker: persistent, mandatory, and done only when the broker has confirmed them.
///
/// One connection for all; what comes while a batch is on its way goes out together in the next. Delivery is at least once: where no confirm came, the
/// message is published again with the same `message-id`, by which a consumer knows it.
///
/// | what happens | outcome |
/// |---|---|
/// | confirmed | sent, with the message's id as the reference |
/// | no queue takes it, the broker refuses it | retry |
/// | no confirm, no connection | the same, and the broker counts as out of order |
package final class RabbitMQChannel: BelfryCore.Channel {
    package var name: String { "rabbitmq" }
    package var isBatching: Bool { true }

    package func endpoint(of account: String) -> Endpoint { Endpoint(channel: name) }

    private let address: RabbitMQAddress
    private let route: RabbitMQRoute
    private let timeout: Duration
    private let clock: any WallClock
    /// Its calls block: they have a thread of their own.
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let connection = Mutex<RabbitMQConnection?>(nil)
    private let queue = Mutex(Queue())
    private let trouble = Mutex<String?>(nil)

    private struct Queue {
        var waiting: [Waiting] = []
        var isRunning = false
    }

    private struct Waiting {
        var messages: [OutboundMessage]
        var done: CheckedContinuation<[SendOutcome], Never>
    }

    /// - Parameter timeout: for a whole batch: connection, messages, confirms.
    package init(
        _ address: RabbitMQAddress,
        route: RabbitMQRoute,
        timeout: Duration,
        clock: any WallClock
    ) {
        self.address = address
        self.route = route
        self.timeout = timeout
        self.clock = clock
        thread.start()
    }

    /// What was wrong with the last batch that could not be handed over whole, if nothing went well since.
    package var problem: String? { trouble.withLock { $0 } }

    /// Hangs up; whatever is sent afterwards is to be retried.
    package func close() async {
        // Only a pool that was never started complains.
        try? await thread.shutdownGracefully()
        connection.withLock { $0 = nil }
    }

    package func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        await withCheckedContinuation { done in
            let begins = queue.withLock { queue in
                queue.waiting.append(Waiting(messages: messages, done: done))
                defer { queue.isRunning = true }
                return !queue.isRunning
            }
            if begins { thread.submit { state in self.drain(isOpen: state == .active) } }
        }
    }

    /// Works until nothing waits.
    private func drain(isOpen: Bool) {
        while true {
            let batch = queue.withLock { queue in
                defer { queue.waiting = [] }
                queue.isRunning = !queue.waiting.isEmpty
                return queue.waiting
            }
            guard !batch.isEmpty else { return }
            let messages = batch.flatMap(\.messages)
            var outcomes = (isOpen ? publish(messages) : closed(messages))[...]
            note(outcomes)
            for waiting in batch {
                waiting.done.resume(returning: Array(outcomes.prefix(waiting.messages.count)))
                outcomes = outcomes.dropFirst(waiting.messages.count)
            }
        }
    }

    private func note(_ outcomes: ArraySlice<SendOutcome>) {
        let problems = outcomes.lazy.compactMap { outcome -> String? in
            switch outcome {
            case .retry(_, let cause), .unreachable(_, let cause): cause.message
            default: nil
            }
        }
        trouble.withLock { $0 = problems.first }
    }

    private func publish(_ messages: [OutboundMessage]) -> [SendOutcome] {
        connection.withLock { connection in
            do throws(RabbitMQFailure) {
                if connection?.isOpen() != true {
                    connection = nil
                    connection = try RabbitMQConnection(address, patience: timeout)
                }
            } catch {
                return Array(repeating: outcome(error), count: messages.count)
            }
            guard let open = connection else { return closed(messages) }
            let cutter = open.cutter
            let watchdog = MultiThreadedEventLoopGroup.singleton.any()
                .scheduleTask(in: .milliseconds(timeout.milliseconds)) { cutter.cut() }
            let seconds = UInt64(max(0, clock.now().milliseconds / 1000))
            let fates = open.publish(messages, to: route, at: seconds)
            watchdog.cancel()
            if open.isBroken { connection = nil }
            return zip(messages, fates).map(outcome)
        }
    }

    // MARK: Outcomes

    private func outcome(_ message: OutboundMessage, _ fate: RabbitMQFate) -> SendOutcome {
        switch fate {
        case .confirmed: .sent(reference: message.wireID)
        case .refused:
            retry("nack", "the broker refused the message", "look into the broker's log")
        case .unroutable(let text):
            retry(
                "unroutable",
                "no queue takes it: \(text), exchange '\(route.exchange)', routing key '\(route.key(for: message))'",
                "declare the queue and bind it, or correct rabbitmq.exchange and rabbitmq.routing-key"
            )
        case .lost(let text):
            unreachable(
                "unconfirmed",
                "published, and no confirm came: \(text)",
                "look into the broker's log"
            )
        case .unsent(let text): unreachable("unreachable", text, "check that the broker runs")
        }
    }

    private func outcome(_ failure: RabbitMQFailure) -> SendOutcome {
        unreachable(
            failure.step,
            failure.message,
            Self.remedies[failure.step] ?? "check that the broker runs, and rabbitmq.url"
        )
    }

    private static let remedies = [
        "login": "correct the user, the password and the virtual host of rabbitmq.url",
        "tls":
            "name the authority of the broker's certificate in rabbitmq.url (?cacertfile=FILE), and the host that it is for",
    ]

    private func closed(_ messages: [OutboundMessage]) -> [SendOutcome] {
        let outcome = retry("closed", "this program is shutting down", "")
        return Array(repeating: outcome, count: messages.count)
    }

    private func retry(_ step: String, _ message: String, _ remedy: String) -> SendOutcome {
        .retry(after: nil, cause: cause(step, message, remedy))
    }

    private func unreachable(_ step: String, _ message: String, _ remedy: String) -> SendOutcome {
        .unreachable(after: nil, cause: cause(step, message, remedy))
    }

    private func cause(_ step: String, _ message: String, _ remedy: String) -> SendCause {
        SendCause(code: "rabbitmq_\(step)", message: message, remedy: remedy)
    }
}
