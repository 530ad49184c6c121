package import BelfryCore

/// What may wait when capacity is short.
package struct OverloadPolicy: Sendable, Hashable {
    /// The highest band that may be deferred, all lower ones with it; `nil`: none ever is.
    package var highest: Priority? = .low
    /// How late pushes of the other bands may become, and how long everything may be busy, before capacity counts as short. Neither counts until it has lasted for
    /// ``Scarcity/lasting``.
    package var lagGoal = Duration.seconds(1)
    /// What has been due for so long is deferred no longer, however short capacity is.
    package var longest = Duration.minutes(15)

    package init() {}

    /// - Parameter highest: `nil`: none is deferred.
    package init(highest: Priority?, lagGoal: Duration, longest: Duration) {
        self.highest = highest
        self.lagGoal = lagGoal
        self.longest = longest
    }
}

/// Capacity is short, and low bands wait.
package struct Overload: Sendable, Hashable {
    /// Why it counts as short.
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// Pushes of a band that is not deferred are late.
        case lag
        /// Everything has been busy for longer than pushes may be late.
        case saturation
        /// More will be due than can be sent meanwhile.
        case forecast
    }

    /// This band and all lower ones are deferred.
    package var from: Priority
    package var reason: Reason
    package var since: Timestamp
    /// What has been due for so long is not.
    package var longest: Duration

    package var deferral: Deferral { Deferral(from: from, longest: longest) }

    package func defers(_ priority: Priority) -> Bool { priority >= from }

    /// Until when a push that is due now or was before waits at most; `nil` where it does not wait.
    package func deferredUntil(_ priority: Priority, due: Timestamp, now: Timestamp) -> Timestamp? {
        guard defers(priority), due <= now, due + longest > now else { return nil }
        return due + longest
    }
}

extension Overload {
    /// What the history says of a push that comes late because it was deferred; `nil` where it was not, or hardly.
    func note(on push: Push, _ now: Timestamp) -> SendCause? {
        guard defers(push.priority), now - push.due >= .seconds(1) else { return nil }
        return DeliveryCauses.overload(now - push.due)
    }
}
