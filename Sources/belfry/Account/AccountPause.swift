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
        abstract: "End a pause: what was held comes again within a minute."
    )

    @Argument(help: "The account.")
    var key: String
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let client = try api.client()
            let path = AccountCommand.path(key)
            let before = try await client.call(.get, path)["paused"]
            let account = try await client.call(.post, path + "/resume")
            if api.json { return print(account.text) }
            if before == .null { return say("\(key) was not paused; nothing has changed") }
            say("the pause of \(key) is over: \(before.cell)")
            print("what was held comes again within a minute, at the account's rate; if what")
            print("stopped the account is not mended, it stops again: belfry account list tells")
        }
    }
}
