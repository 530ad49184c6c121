import BelfryCore
import BelfrySimulation
import Logging
import Synchronization
import Testing

@testable import BelfryDelivery

/// An alarm that a test may tell to lie.
final class ModelAlarm: Alarm {
    enum Manner: Sendable {
        case honest
        /// Never says anything.
        case silent
        /// Always says at once that something is due.
        case raving
        /// Draws: says nothing, says it twice, too early, or for no reason.
        case random
    }

    let clock: SeededExecutor
    let manner: Manner
    let bell = Doorbell()
    private let random: Mutex<SplitMix64>

    init(clock: SeededExecutor, manner: Manner, seed: UInt64) {
        self.clock = clock
        self.manner = manner
        random = Mutex(SplitMix64(seed: seed))
    }

    func wait(nextDue: Timestamp?) async throws(CancellationError) {
        let draw = random.withLock { Int.random(in: 0..<4, using: &$0) }
        switch (manner, draw) {
        case (.raving, _): return
        case (.silent, _), (.random, 0): try await clock.sleep(until: .distantFuture)
        case (.random, 1): return
        case (.random, 2): try await clock.sleep(for: .seconds(7))
        case (.honest, _), (.random, _):
            guard let nextDue else { return try await bell.wait() }
            let clock = clock
            let bell = bell
            try await firstOf(
                { () async throws(CancellationError) in try await clock.sleep(until: nextDue) },
                { () async throws(CancellationError) in try await bell.wait() }
            )
        }
    }
}

/// A channel that answers by a script and keeps what it was given.
final class ScriptedChannel: Channel {
    struct Delivery: Sendable {
        var message: OutboundMessage
        var at: Timestamp
    }

    let name: String
    let isBatching: Bool
    /// One endpoint for all accounts, as a broker is.
    let isShared: Bool
    let clock: SeededExecutor
    private let script: @Sendable (OutboundMessage) async -> SendOutcome
    private let log = Mutex<[Delivery]>([])

    init(
        name: String = "log",
        isBatching: Bool = false,
        isShared: Bool = false,
        clock: SeededExecutor,
        script: @escaping @Sendable (OutboundMessage) async -> SendOutcome = { _ in
            .sent(reference: nil)
        }
    ) {
        self.name = name
        self.isBatching = isBatching
        self.isShared = isShared
        self.clock = clock
        self.script = script
    }

    /// Every message that was handed over, in order.
    var deliveries: [Delivery] { log.withLock { $0 } }
    var ids: [String] { deliveries.map(\.message.id.text) }

    func endpoint(of account: String) -> Endpoint {
        Endpoint(channel: name, name: isShared ? "" : account)
    }

    func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        let now = clock.now()
        log.withLock { $0 += messages.map { Delivery(message: $0, at: now) } }
        var outcomes: [SendOutcome] = []
        for message in messages { outcomes.append(await script(message)) }
        return outcomes
    }
}

/// Keeps events, and fails when told to.
final class ModelRecorder: Recorder {
    struct State {
        var events: [DeliveryEvent] = []
        var alerts: [DeliveryAlert] = []
        var calls = 0
        var isBroken = false
        /// Ids whose events are refused.
        var refused: Set<PushID> = []
    }

    struct Full: Error {}

    let state = Mutex(State())
    /// Called with what is being written, before it counts.
    let watch: @Sendable ([DeliveryEvent]) -> Void

    init(watch: @escaping @Sendable ([DeliveryEvent]) -> Void = { _ in }) { self.watch = watch }

    var events: [DeliveryEvent] { state.withLock { $0.events } }
    var alerts: [DeliveryAlert] { state.withLock { $0.alerts } }

    /// How each push ended, every end in order.
    var ends: [PushID: [Outcome]] {
        var ends: [PushID: [Outcome]] = [:]
        for event in events {
            if case .ended(let outcome) = event.change {
                ends[event.claim.push.id, default: []].append(outcome)
            }
        }
        return ends
    }

    func record(_ events: [DeliveryEvent]) async throws {
        watch(events)
        try state.withLock { state in
            state.calls += 1
            if state.isBroken
                || events.contains(where: { state.refused.contains($0.claim.push.id) })
            {
                throw Full()
            }
            state.events += events
        }
    }

    func alert(_ alert: DeliveryAlert) async { state.withLock { $0.alerts.append(alert) } }
}

/// Limits that a test changes while deliveries go on.
final class ModelLimits: AccountLimits {
    private let table = Mutex<[String: AccountLimit]>([:])

    subscript(account: String) -> AccountLimit {
        get { table.withLock { $0[account] ?? AccountLimit() } }
        set { table.withLock { $0[account] = newValue } }
    }

    func limit(of account: String, at now: Timestamp) -> AccountLimit { self[account] }
}

/// Asks a closure.
struct ScriptedGate: Gatekeeper {
    var decide: @Sendable (Claim) -> Decision

    func decide(_ claims: [Claim], now: Timestamp) async -> [Decision] { claims.map(decide) }
}

struct ScriptedSequel: Sequel {
    var follow: @Sendable (Claim, Outcome, Timestamp) -> [Push]

    func successors(of claim: Claim, outcome: Outcome, at time: Timestamp) -> [Push] {
        follow(claim, outcome, time)
    }
}

/// A dispatcher with everything around it, in one simulated world.
final class Scene {
    let world: SeededExecutor
    let timeline: ModelTimeline
    let alarm: ModelAlarm
    let channel: ScriptedChannel
    /// Another one, which takes everything.
    let other: ScriptedChannel
    let recorder: ModelRecorder
    let limits = ModelLimits()
    let dispatcher: Dispatcher<ModelTimeline, ModelAlarm, SeededExecutor>
    private let ended = Flag()
    private let failed = Failure()
    private var task: Task<Void, Never>?

    init(
        seed: UInt64 = 1,
        alarm manner: ModelAlarm.Manner = .honest,
        gate: any Gatekeeper = OpenGate(),
        sequel: any Sequel = NoSequel(),
        recorder: ModelRecorder = ModelRecorder(),
        settings: DispatcherSettings = DispatcherSettings(),
        isBatching: Bool = false,
        isShared: Bool = false,
        script: @escaping @Sendable (OutboundMessage, SeededExecutor) async -> SendOutcome = {
            _,
            _ in .sent(reference: nil)
        }
    ) {
        let world = SeededExecutor(seed: seed)
        let alarm = ModelAlarm(clock: world, manner: manner, seed: seed &+ 1)
        self.world = world
        self.alarm = alarm
        self.recorder = recorder
        timeline = ModelTimeline(clock: world) { alarm.bell.ring() }
        channel = ScriptedChannel(isBatching: isBatching, isShared: isShared, clock: world) {
            await script($0, world)
        }
        other = ScriptedChannel(name: "other", clock: world)
        dispatcher = Dispatcher(
            timeline: timeline,
            alarm: alarm,
            clock: world,
            channels: [channel, other],
            gate: gate,
            limits: limits,
            sequel: sequel,
            recorder: recorder,
            settings: settings,
            seed: seed,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    var hasEnded: Bool { ended.isSet }
    /// Why the run ended, if it failed.
    var failure: TimelineError? { failed.error }
    var start: Timestamp { Timestamp(milliseconds: 1_700_000_000_000) }

    func run() {
        let dispatcher = dispatcher
        let ended = ended
        let failed = failed
        task = Task(executorPreference: world) {
            do throws(TimelineError) { try await dispatcher.run() } catch { failed.set(error) }
            ended.set()
        }
    }

    func cancel() { task?.cancel() }

    /// Another dispatcher on the same timeline, as after a restart.
    func successor(seed: UInt64 = 99) -> Dispatcher<ModelTimeline, ModelAlarm, SeededExecutor> {
        Dispatcher(
            timeline: timeline,
            alarm: alarm,
            clock: world,
            channels: [channel],
            limits: limits,
            recorder: recorder,
            seed: seed,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Does something inside the world and lets it happen.
    func act(_ body: @escaping @Sendable () async throws -> Void) {
        Task(executorPreference: world) {
            do { try await body() } catch { Issue.record(error) }
        }
        world.run(for: .zero)
    }

    func schedule(_ pushes: [Push]) {
        let timeline = timeline
        act {
            for start in stride(from: 0, to: pushes.count, by: 5_000) {
                try await timeline.schedule(Array(pushes[start..<min(start + 5_000, pushes.count)]))
            }
        }
    }

    func push(
        _ id: String,
        account: String = "a",
        after: Duration = .zero,
        expires: Duration? = nil,
        priority: Priority = .normal,
        channel: String = "log"
    ) -> Push {
        Push(
            id: PushID(id),
            recipient: Recipient(account: account, person: "p"),
            due: start + after,
            expires: expires.map { start + $0 },
            priority: priority,
            channel: channel,
            payload: Array(id.utf8)
        )
    }
}

/// Set once, seen from anywhere.
final class Flag: Sendable {
    private let state = Atomic(false)
    var isSet: Bool { state.load(ordering: .acquiring) }
    func set() { state.store(true, ordering: .releasing) }
}

final class Failure: Sendable {
    private let state = Mutex<TimelineError?>(nil)
    var error: TimelineError? { state.withLock { $0 } }
    func set(_ error: TimelineError) { state.withLock { $0 = error } }
}

/// A value that closures share.
final class Box<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    func withLock<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result {
        state.withLock { body(&$0) }
    }
}
