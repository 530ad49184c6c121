import ArgumentParser
import BelfryClient

/// `belfry people erase`: forgets a person.
struct PeopleErase: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Cancel what is planned for a person and delete everything that names them."
    )

    @Argument(help: "The account.")
    var account: String
    @Argument(help: "The person.")
    var person: String
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            try confirmation.ask("Delete everything about '\(person)' of '\(account)'?")
            let answer = try await api.client().call(.delete, PeoplePath.of(account, person))
            if api.json { return print(answer.text) }
            print(
                "\(answer["cancelled"].cell) pushes cancelled, \(answer["rows"].cell) rows deleted"
            )
            if let flying = answer["in_flight"].integer, flying > 0 {
                print("\(flying) were just being sent and could not be taken back")
            }
        }
    }
}
