/// Whom a push is for: a person as one account knows them.
///
/// All pushes of one recipient share a lane (or whatever else an engine is divided into), so that merging and ordering need no coordination.
package struct Recipient: Sendable, Hashable, Codable {
    /// The account's key in Belfry, at most ``PushLimits/accountBytes`` bytes.
    package var account: String
    /// The openid, or the API caller's own name of the person, at most ``PushLimits/personBytes`` bytes.
    package var person: String

    package init(account: String, person: String) {
        self.account = account
        self.person = person
    }
}
