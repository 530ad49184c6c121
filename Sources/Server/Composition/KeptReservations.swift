package import BelfryCore
package import BelfryRecords

/// Gives back the permission that waiting pushes kept and that have ended since without anybody telling: cancelled or replaced while they
/// were held. One that ends otherwise tells it itself.
package struct KeptReservations: Sendable {
    let records: Records
    let timeline: any Timeline
    let accounts: AccountBook

    package init(records: Records, timeline: any Timeline, accounts: AccountBook) {
        self.records = records
        self.timeline = timeline
        self.accounts = accounts
    }

    /// One page is one look into the timeline and one transaction: delivery goes on between them.
    static let page = 500

    /// - Returns: how many were given back.
    @discardableResult
    package func sweep() async throws -> Int {
        var count = 0
        var cursor: String?
        repeat {
            let page = try await records.ledger.kept(limit: Self.page, cursor: cursor)
            count += try await giveBack(page.items)
            cursor = page.next
        } while cursor != nil && !Task.isCancelled
        return count
    }

    private func giveBack(_ keys: [ReservationKey]) async throws -> Int {
        let pending = try await timeline.find(keys.map(\.push))
        let ended = zip(keys, pending).filter { $0.1.isOther(than: $0.0.sequence) }.map(\.0)
        return ended.isEmpty ? 0 : try await giveBack(ended, adding: [])
    }

    /// Gives back what is still kept of these, together with lines for the history.
    ///
    /// - Returns: how many were.
    @discardableResult
    func giveBack(_ keys: [ReservationKey], adding lines: [DeliveryRecord]) async throws -> Int {
        let rules = Dictionary(
            Set(keys.map(\.recipient.account)).compactMap { key in
                accounts[key].map { (key, $0.rules) }
            },
            uniquingKeysWith: { a, _ in a }
        )
        return try await records.ledger.update(keys, adding: lines) { ledger throws(RecordsError) in
            var count = 0
            // One that has been let go meanwhile may have been sent.
            for key in keys where ledger[reservation: key]?.made == GateDesk.notSent {
                ledger.giveBack(key, under: rules[key.recipient.account])
                count += 1
            }
            return count
        }
    }
}

extension Pending? {
    /// Whether the version of a push with this number has ended. Of a damaged one it is not known, and it may still be there.
    func isOther(than sequence: UInt64) -> Bool {
        self?.state != .damaged && self?.sequence != sequence
    }
}
