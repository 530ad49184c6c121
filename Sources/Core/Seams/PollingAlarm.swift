/// What wakes whoever waits for something to be due.
package enum AlarmKind: String, Sendable, Hashable, CaseIterable {
    /// The engine's own: the timing wheel, or a timer until the next push is due and a word of whoever puts something earlier. Asks nothing while nothing is due.
    case hints
    /// A look at every tick, whatever is due. With any engine.
    case polling
    /// A Redis server tells when the key of a shard has ended. It looks for ended keys ten times a second and in samples: late by a tenth of a second as a rule.
    case keyspace
}

/// A look at every tick, whatever is due: the classic, which needs nothing of the engine.
package struct PollingAlarm: Alarm {
    private let tick: Duration
    private let clock: any WallClock

    /// - Parameter tick: how often is looked, in time that passes.
    package init(tick: Duration, clock: any WallClock) {
        self.tick = tick
        self.clock = clock
    }

    package func wait(nextDue: Timestamp?) async throws(CancellationError) {
        try await clock.sleep(for: tick)
    }
}
