package import BelfryCore
package import BelfrySimulation

/// One timeline under test, the clock it reads, and what can be done to it.
package final class TimelineFixture: Sendable {
    package let timeline: any Timeline
    /// What a worker listens to beside its sweep.
    package let alarm: any Alarm
    package let clock: ManualClock
    /// Ends the timeline as hard as the engine allows (for an embedded one: without a farewell) and opens what is stored again;
    /// `nil` where the engine stores nothing.
    package let reopen: (@Sendable () async throws -> TimelineFixture)?

    package init(
        _ timeline: any Timeline,
        alarm: any Alarm,
        clock: ManualClock,
        reopen: (@Sendable () async throws -> TimelineFixture)? = nil
    ) {
        self.timeline = timeline
        self.alarm = alarm
        self.clock = clock
        self.reopen = reopen
    }

    package var now: Timestamp { clock.now() }

    /// A push due in `seconds`, with its id as payload.
    package func push(
        _ id: PushID,
        in seconds: Int64,
        priority: Priority = .normal,
        person: String = "o1",
        account: String = "a",
        merge: MergeRule? = nil,
        payload: String? = nil
    ) -> Push {
        Push(
            id: id,
            recipient: Recipient(account: account, person: person),
            due: now + .seconds(seconds),
            priority: priority,
            channel: "log",
            merge: merge,
            payload: Array((payload ?? id.text).utf8)
        )
    }

    @discardableResult
    package func schedule(_ pushes: Push...) async throws -> [ScheduleOutcome] {
        try await timeline.schedule(pushes)
    }

    package func claim(_ limit: Int = 100, lease: Duration = .seconds(30)) async throws -> [Claim] {
        try await timeline.claim(limit: limit, lease: lease).claims
    }

    /// Claims, and leaves a band and all lower ones to wait for so long.
    package func claim(deferring band: Priority, for longest: Duration) async throws -> ClaimBatch {
        try await timeline.claim(
            limit: 100,
            lease: .minutes(5),
            deferring: Deferral(from: band, longest: longest)
        )
    }

    /// Claims, and says which ids came, in order.
    package func claimed(_ limit: Int = 100) async throws -> [String] {
        try await claim(limit).map(\.push.id.text)
    }

    package func settle(
        _ claim: Claim,
        _ result: Settlement.Result = .done,
        then successors: [Push] = []
    ) async throws -> SettleOutcome {
        let settlement = Settlement(token: claim.token, result: result, successors: successors)
        return try await timeline.settle([settlement])[0]
    }

    /// The one push that is due, claimed.
    package func only(
        lease: Duration = .seconds(30),
        line: UInt = #line
    ) async throws -> Claim {
        let claims = try await claim(lease: lease)
        try expect(claims.map(\.push.id.text).count, 1, "claims at line \(line)")
        return claims[0]
    }

    package func find(_ id: PushID) async throws -> Pending? { try await timeline.find([id])[0] }

    package func pass(_ seconds: Int64) { clock.advance(by: .seconds(seconds)) }
}

/// A promise that was not kept.
package struct BrokenPromise: Error, CustomStringConvertible {
    package var description: String
}

package func expect<Value: Equatable>(
    _ found: Value,
    _ wanted: Value,
    _ what: String = "",
    file: StaticString = #fileID,
    line: UInt = #line
) throws {
    guard found != wanted else { return }
    throw BrokenPromise(description: "\(file):\(line) \(what): got \(found), wanted \(wanted)")
}

package func expect(
    _ condition: Bool,
    _ what: String,
    file: StaticString = #fileID,
    line: UInt = #line
) throws {
    guard !condition else { return }
    throw BrokenPromise(description: "\(file):\(line) \(what)")
}
