package import BelfryCore

/// One of the two timelines between which pushes move.
package struct Side: Sendable {
    package let engine: any MovableTimeline
    package let alarm: any Alarm
    /// Goes into the tokens that it lends, so that they find back: different for the two.
    package let mark: UInt8

    package init(_ engine: any MovableTimeline, alarm: any Alarm, mark: UInt8) {
        self.engine = engine
        self.alarm = alarm
        self.mark = mark
    }
}

/// Where pushes are, and where new ones go.
package struct Sides: Sendable {
    /// New ids go here.
    package var target: Side
    /// What is here already stays until it is moved or has ended, and takes newer versions of itself; `nil`: nothing is anywhere else.
    package var source: Side?
    /// Nothing is put into the source any more, not even a newer version of what may still be there.
    package var isLeaving = false

    package init(_ target: Side, source: Side? = nil, isLeaving: Bool = false) {
        self.target = target
        self.source = source
        self.isLeaving = isLeaving
    }

    /// The source first.
    var all: [Side] { [source, target].compactMap { $0 } }

    func side(_ mark: UInt8) -> Side? { all.first { $0.mark == mark } }

    /// The other one.
    func other(than mark: UInt8) -> Side? { all.first { $0.mark != mark } }
}
