import BelfryCore
import BelfryDelivery
import BelfryJournal
import BelfryServer
import BelfrySimulation
import BelfryWeChatSimulator

/// Plays scripts on a clock that jumps: between two events it jumps; while something is under way it runs, so lateness is real.
struct DemoStage: Sendable {
    let world: DemoWorld
    let clock: JumpingClock

    /// How near the next event has to be for the clock to run up to it rather than jump.
    private static let near = Duration.milliseconds(3)

    /// Plays until nothing is left to do, or nothing before `end`: the clock then shows that.
    func perform(_ script: DemoScript, until end: Timestamp = .distantFuture) async throws {
        let (world, clock) = (world, clock)
        try await withThrowingTaskGroup(of: Void.self) { people in
            var rest = script.actions[...]
            var acting = 0
            while true {
                while let action = rest.first, action.time <= clock.now() {
                    rest.removeFirst()
                    acting += 1
                    people.addTask { try await perform(action) }
                    if acting >= 64 {
                        try await people.next()
                        acting -= 1
                    }
                }
                let nextDue = try await world.node.timeline.nextDue()
                let next = [rest.first?.time, nextDue].compactMap(\.self).min()
                if let next, next <= clock.now() + Self.near {
                    try await Task.sleep(for: .milliseconds(1))
                    continue
                }
                // Something far ahead, or nothing: whoever is still acting, sending or recording has the clock for themselves.
                if acting > 0 {
                    while acting > 0 {
                        try await people.next()
                        acting -= 1
                    }
                    continue
                }
                let snapshot = world.node.dispatcher.snapshot()
                let lent = try await world.node.timeline.counts().inFlight
                guard snapshot.inFlight == 0, snapshot.unrecorded == 0, lent == 0 else {
                    try await Task.sleep(for: .milliseconds(1))
                    continue
                }
                guard let next, next < end else {
                    if end != .distantFuture { clock.jump(to: end) }
                    return
                }
                clock.jump(to: next)
            }
        }
    }

    /// Plays until `end`, `speed` times as fast as the machine's clock: it jumps from one event to the next, and no further than that many times the time that has passed.
    func replay(_ script: DemoScript, until end: Timestamp, speed: Int64) async throws {
        let (began, first) = (ContinuousClock.now, clock.now())
        try await withThrowingDiscardingTaskGroup { people in
            var rest = script.actions[...]
            while clock.now() < end {
                while let action = rest.first, action.time <= clock.now() {
                    rest.removeFirst()
                    people.addTask { try await perform(action) }
                }
                let passed = (ContinuousClock.now - began).milliseconds
                let reached = min(first + .milliseconds(passed * speed), end)
                let nextDue = try await world.node.timeline.nextDue()
                clock.jump(to: min(rest.first?.time ?? end, nextDue ?? end, reached))
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }

    private func perform(_ action: DemoAction) async throws {
        try await world.simulator.perform(
            action.interaction,
            by: action.openID,
            of: world.accounts[action.account].settings.appID
        )
    }
}
