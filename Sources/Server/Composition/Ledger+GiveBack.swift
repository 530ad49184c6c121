import BelfryActivation
import BelfryCore
import BelfryRecords

extension Ledger {
    /// Ends a reservation, and gives the permission that it holds back to its person.
    ///
    /// - Parameter rules: those of the account; `nil` where it is gone, and with it what there was to give back to.
    mutating func giveBack(_ key: ReservationKey, under rules: PermissionRules?) {
        guard let reservation = self[reservation: key] else { return }
        self[reservation: key] = nil
        guard let rules else { return }
        var permission = PermissionLedger(people[key.recipient], rules: rules)
        permission.release(
            GrantUse(
                time: reservation.taken ?? .distantPast,
                taken: [GrantKey(source: reservation.source, granted: reservation.granted)]
            )
        )
        set(permission, of: key.recipient)
    }
}
