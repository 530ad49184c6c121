import BelfryActivation
import BelfryCore
import BelfryDelivery

/// The next step of a flow follows from the end of the one before.
struct FlowSequel: Sequel {
    let accounts: AccountBook
    let boarding: BoardingBook

    func successors(of claim: Claim, outcome: Outcome, at time: Timestamp) -> [Push] {
        guard let account = accounts[claim.push.recipient.account] else { return [] }
        // Who never came to the gate (the push had expired) is looked at when the next step is due.
        let person = boarding[claim] ?? FlowPerson(id: claim.push.recipient.person)
        return account.successors(of: claim, outcome: outcome, person: person, now: time)
    }

    /// Where WeChat knows better than our ledger that no window is open, the step's `otherwise` holds as if we had known.
    func hasOtherWay(_ claim: Claim, after refusal: Outcome) -> Bool {
        guard refusal == .window45015 || refusal == .count45047,
            let account = accounts[claim.push.recipient.account], !account.rules.isUnlimited,
            let position = FlowPosition(claim.push), let versions = account.versions[position.flow]
        else { return false }
        switch versions.step(at: position)?.otherwise {
        case .hold, .channel: return true
        case nil, .skip: return false
        }
    }
}
