import BelfryCore

/// How many pushes a worker holds, where others would send what it leaves: as many as go out within ``DispatcherSettings/reach``, and never so few that a claim is not worth
/// its round trips. Whatever it holds when it dies has to wait for the end of its lease, and what was sent and not yet settled is sent twice.
struct Reach {
    /// Held without knowing how fast they go.
    static let least = 500
    /// After so long a few more are claimed, however many are held: of what is due, others may be able to go.
    static let patience = Duration.seconds(1)
    /// So long the pace is measured each time; with nothing settled for the longer of the two there was nothing to measure.
    private static let (shortest, longest) = (Duration.milliseconds(200), Duration.seconds(5))

    private let span: Duration
    /// Pushes a second that were settled of late, while there was enough to do.
    private var pace = 0.0
    private var measured: (since: Timestamp, count: Int)?

    init(_ span: Duration) { self.span = span }

    /// How many are held at most.
    var pushes: Int { max(Self.least, Int(min(pace * Double(span.milliseconds) / 1000, 1e9))) }

    /// So many were settled.
    ///
    /// - Parameter isBusy: more were due all the time. Otherwise the pace says nothing of how fast they could go.
    mutating func settled(_ count: Int, isBusy: Bool, at now: Timestamp) {
        guard let (since, before) = measured, .zero...Self.longest ~= now - since else {
            // What began these settlements lies before the measurement.
            measured = (now, 0)
            return
        }
        guard now - since >= Self.shortest else {
            measured = (since, before + count)
            return
        }
        measured = (now, 0)
        let seen = Double(before + count) * 1000 / Double((now - since).milliseconds)
        if isBusy || seen > pace { pace = pace == 0 ? seen : (pace + seen) / 2 }
    }
}
