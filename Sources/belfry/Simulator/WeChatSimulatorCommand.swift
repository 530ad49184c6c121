import ArgumentParser
import BelfryCore
import BelfrySimulation
import BelfryWeChatSimulator

/// `belfry wechat-simulator`: a stand-in for the WeChat API to try things against.
struct WeChatSimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wechat-simulator",
        abstract: "Run an honest stand-in for the WeChat API, with one account.",
        discussion: """
            The credentials are made up from --name: the same name gives the same ones. People are moved, and what they \
            really saw is read, over its own JSON under /_sim/. Its clock runs, and can be set ahead there.
            """
    )

    @Option(help: "Port to listen on; 0: any free one.")
    var port = 8090
    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"
    @Option(help: "Names the account.")
    var name = "demo"
    @Option(help: "Where callbacks go, such as http://127.0.0.1:8080/wechat/demo/callback.")
    var callbackURL: String?
    @Option(help: "How callbacks are encrypted: plain, compat or safe.")
    var mode = "safe"
    @Option(
        help:
            "Which era's permission windows hold: \(WindowTable.eras.map(\.name).joined(separator: ", "))."
    )
    var windows = "current"
    @Option(help: "People who follow already.")
    var followers = 0
    @Option(help: "Of ids and tokens.")
    var seed: UInt64 = 1
    @Flag(help: "Print the account as JSON.")
    var json = false

    func validate() throws {
        guard (0...65_535).contains(port) else {
            throw ValidationError("--port must be 0 to 65535.")
        }
        guard (0...1_000_000).contains(followers) else {
            throw ValidationError("--followers must be 0 to 1000000.")
        }
        guard AccountSettings.Mode(rawValue: mode) != nil else {
            throw ValidationError("--mode must be plain, compat or safe.")
        }
        guard WindowTable.named(windows) != nil else {
            let names = WindowTable.eras.map(\.name).joined(separator: ", ")
            throw ValidationError("--windows must be one of \(names).")
        }
        if let callbackURL, !callbackURL.hasPrefix("http://"), !callbackURL.hasPrefix("https://") {
            throw ValidationError("--callback-url must begin with http:// or https://.")
        }
    }

    func run() async throws {
        try await reporting {
            var account = AccountSettings.sample(name, callbackURL: nil)
            account.mode = AccountSettings.Mode(rawValue: mode) ?? account.mode
            account.windows = WindowTable.named(windows) ?? account.windows
            let simulator = WeChatSimulator(clock: .jumping(), seed: seed)
            simulator.put(account)
            for _ in 0..<followers { _ = try await simulator.follow(account.appID) }
            account.callbackURL = callbackURL
            simulator.put(account)
            let shown = account
            do {
                try await simulator.serve(host: host, port: port) { port in
                    describe(shown, port: port)
                }
            } catch {
                throw Failure(.cannotCreate, "cannot listen on \(host):\(port): \(error)")
            }
        }
    }

    private func describe(_ account: AccountSettings, port: Int) {
        let base = "http://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        if json {
            print(
                """
                {"base_url":"\(base)","appid":"\(account.appID)","secret":"\(account.secret)",\
                "token":"\(account.token)","encoding_aes_key":"\(account.encodingAESKey)",\
                "original_id":"\(account.originalID)","mode":"\(account.mode.rawValue)"}
                """
            )
            return flushOutput()
        }
        print(
            """
            The WeChat API is at       \(base)
            AppID                      \(account.appID)
            AppSecret                  \(account.secret)
            Token                      \(account.token)
            EncodingAESKey             \(account.encodingAESKey)   (\(account.mode.rawValue) mode)
            OriginalID                 \(account.originalID)
            Callbacks go to            \(account.callbackURL ?? "nobody yet: set one with --callback-url or /_sim/account")

            Try:
              curl -sX POST \(base)/_sim/verify
              curl -sX POST \(base)/_sim/follow -d '{"openid":"oAlice"}'
              curl -sX POST \(base)/_sim/say -d '{"openid":"oAlice","text":"你好"}'
              curl -sX POST \(base)/_sim/clock -d '{"seconds":60}'
              curl -s \(base)/_sim/log
              curl -s \(base)/_sim/summary
            Ctrl-C ends it.
            """
        )
        flushOutput()
    }
}

extension SimulatorClock {
    /// The machine's time, until somebody sets it ahead.
    static func jumping() -> SimulatorClock {
        let clock = JumpingClock()
        return SimulatorClock(
            now: { clock.now().milliseconds },
            sleepUntil: { try await clock.sleep(until: Timestamp(milliseconds: $0)) },
            jump: { clock.jump(to: clock.now() + .milliseconds($0)) }
        )
    }
}
