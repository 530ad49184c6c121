import BelfryRecords

extension LiveFeed {
    /// The most lines of one batch that watchers are shown: more than a page holds is noise.
    private static let shown = 50

    /// Tells whoever watches what has just become of pushes.
    func publish(_ deliveries: [DeliveryRecord]) {
        for delivery in deliveries.suffix(Self.shown) { publish(.delivery(delivery)) }
    }
}
