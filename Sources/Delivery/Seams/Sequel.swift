package import BelfryCore

/// Says what follows when a push ends: the next step of a flow. It travels inside the settlement (promise T13).
package protocol Sequel: Sendable {
    /// Pure: the same arguments give the same pushes, so that repeating it after a crash changes nothing.
    ///
    /// Asked for every end but a ``Decision/end(_:cause:successors:)``, which brings its own successors, and a cancel or
    /// replacement, after which nothing follows.
    ///
    /// - Parameter outcome: how the push ended.
    /// - Returns: pushes of the same recipient.
    func successors(of claim: Claim, outcome: Outcome, at time: Timestamp) -> [Push]

    /// Whether a refusal by the channel is not the end yet: the ``Gatekeeper`` is asked again, which knows of the refusal by then and has
    /// another way for the message, or another time. Pure.
    func hasOtherWay(_ claim: Claim, after refusal: Outcome) -> Bool
}

extension Sequel {
    package func hasOtherWay(_ claim: Claim, after refusal: Outcome) -> Bool { false }
}

/// Nothing follows.
package struct NoSequel: Sequel {
    package init() {}

    package func successors(of claim: Claim, outcome: Outcome, at time: Timestamp) -> [Push] { [] }
}
