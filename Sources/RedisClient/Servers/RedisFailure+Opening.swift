package import BelfryCore

extension RedisFailure {
    /// What whoever opens a timeline is told: what no waiting mends is `invalid`, and says what to set.
    package func opening(_ address: RedisAddress) -> TimelineError {
        guard let words = misfit(address) else { return timelineError }
        return TimelineError(.invalid, words)
    }

    /// What is wrong with the address; `nil` where it need not be the address.
    private func misfit(_ address: RedisAddress) -> String? {
        if code == .denied { return denied(address) }
        guard code == .refused else { return nil }
        if message.contains("without any password configured") {
            return "\(address): the server wants no password, and the address has one: take it out"
        }
        if message.contains("DB index") {
            return
                "\(address): the server has no database \(address.database); `databases` in its settings says how many there are, numbered from 0 (0 to 15 unless set)"
        }
        if message.contains("SELECT is not allowed in cluster mode") {
            return
                "\(address): a cluster has the database 0 alone, not \(address.database): leave the number out, and set timeline.prefix where several share it"
        }
        return nil
    }

    private func denied(_ address: RedisAddress) -> String {
        let isWatched = address.primaryName != nil
        let place = isWatched ? " (for sentinels: sentinel-user and sentinel-password)" : ""
        switch message.prefix(while: { $0 != " " }) {
        case "NOAUTH":
            return
                "\(address): the server wants a log-in, and the address has no password: write redis://user:password@host:port\(place)"
        case "WRONGPASS":
            return
                "\(address): the server knows no such user, or another password: correct user and password in the address\(place); signs such as @ / : in them are written as %40 %2F %3A"
        default:
            let user = address.user.isEmpty ? "default" : address.user
            return
                "\(address): the user \(user) may not do what pushes need: give it all commands (+@all) on all keys and channels (~* &*) of its prefix. The server says: \(message)"
        }
    }
}
