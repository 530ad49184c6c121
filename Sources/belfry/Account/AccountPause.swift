import ArgumentParser
import BelfryClient

/// `belfry account pause`
struct AccountPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Hold every push of an account until it is resumed."
    )

    @Argument(help: "The account.")
    var key: String
    @Option(help: "Why, for those who look.")
    var reason: String?
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let body = JSON.of(["reason": .text(reason)])
            let path = AccountCommand.path(key) + "/pause"
            let account = try await api.client().call(.post, path, body: body)
            print(api.json ? account.text : "\(key) is paused: \(account["paused"].cell)")
        }
    }
}

/// `belfry account resume`
struct AccountResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Send again what was held."
    )

    @Argument(help: "The account.")
    var key: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let path = AccountCommand.path(key) + "/resume"
            let account = try await api.client().call(.post, path)
            print(api.json ? account.text : "\(key) sends again")
        }
    }
}
