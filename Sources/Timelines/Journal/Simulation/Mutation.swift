/// A fault put into the engine on purpose, by tests which prove that the simulation would notice it.
package enum Mutation: String, Sendable, CaseIterable {
    /// Acknowledges a group without `fdatasync`.
    case skipsJournalSync = "skips-journal-sync"
    /// Replaces the manifest before the runs that it names are safe.
    case trustsRunsUnsynced = "trusts-runs-unsynced"
    /// Settles and extends whatever generation a token carries.
    case skipsGenerationCheck = "skips-generation-check"
    /// Takes frames at the end of the journal for whole without looking at their checksum.
    case acceptsTornTail = "accepts-torn-tail"
    /// Does not write down that a push was cancelled.
    case forgetsCancels = "forgets-cancels"
    /// Hands pushes over a second before they are due.
    case ringsEarly = "rings-early"
}
