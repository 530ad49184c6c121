import ArgumentParser
import BelfryClient

/// `belfry people`: who follows, what may be sent to them, and what became of it.
struct People: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List people, tell what was sent to one and why, erase one.",
        subcommands: [PeopleList.self, PeopleShow.self, PeopleErase.self]
    )
}

/// The way to one account's people.
enum PeoplePath {
    static func of(_ account: String, _ person: String? = nil) -> String {
        let people = "/v1/accounts/\(APIClient.part(account))/people"
        return person.map { "\(people)/\(APIClient.part($0))" } ?? people
    }
}
