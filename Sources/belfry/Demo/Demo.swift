import ArgumentParser
import BelfryDemo
import BelfryServer
import Logging

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `belfry demo`: the whole product against the WeChat simulator.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Run everything against the WeChat simulator: followers arrive, flows push, the console shows it.",
        discussion: """
            Without --once it plays six days of history (in a new folder), then runs on the real clock until Ctrl-C. With --once it plays a bounded scene of days in virtual time \
            and prints what came of it, judged by the simulator's own log of what people saw; the exit code is 1 where anything \
            was lost, early, doubled or sent without permission.
            """
    )

    @Flag(help: "Play a bounded scene on virtual time, print its summary, and end.")
    var once = false
    @Flag(help: "With --once: print JSON.")
    var json = false
    @Option(help: "With --once: how many people follow.")
    var followers = 1000
    @Option(help: "Who does what when; the same seed plays the same scene.")
    var seed: UInt64 = 1
    @Option(help: "Port of the API and the console; 0: any free one.")
    var port = 8080
    @Option(
        help:
            "Where pushes and records are kept. Without it, in a folder that goes with the demonstration."
    )
    var data: String?

    func validate() throws {
        guard (1...100_000).contains(followers) else {
            throw ValidationError("--followers must be 1 to 100000.")
        }
        guard (0...65_535).contains(port) else {
            throw ValidationError("--port must be 0 to 65535.")
        }
    }

    func run() async throws {
        try await reporting {
            if once { try await playScene() } else { try await runLive() }
        }
    }

    private func playScene() async throws {
        let scene = DemoScene(
            followers: followers,
            seed: seed,
            folder: try Self.temporaryFolder(),
            logger: Self.logger(.error)
        )
        let summary = try await scene.play()
        if json {
            try printJSON(summary)
        } else {
            print(summary.text)
        }
        if !summary.isClean { throw ExitCode.failure }
    }

    private func runLive() async throws {
        var settings = ServerConfiguration()
        let folder = try data ?? Self.temporaryFolder()
        settings.data.folder = folder
        settings.http.port = port
        settings.http.auth = .loopbackOpen
        settings.http.accessLog = false
        defer {
            // A folder of the demonstration's own that cannot be removed harms nobody; the system clears it.
            if data == nil { try? FileManager.default.removeItem(atPath: folder) }
        }
        let demo = LiveDemo(configuration: settings, seed: seed, logger: Self.logger(.notice))
        try await demo.run { console, simulator in
            print(
                """
                Belfry runs. Stop it with Ctrl-C.

                  Console          \(console)/console
                  API              \(console)/v1
                  What people saw  \(simulator)/

                Try:

                  curl -s \(console)/v1/stats
                  curl -s '\(console)/v1/deliveries?limit=5'
                  curl -s \(console)/v1/pushes -H 'content-type: application/json' \\
                    -d '{"id":"hello","account":"lighthouse","to":"me","delay":"5s","channel":"log","payload":"hello"}'
                """
            )
            flushOutput()
        }
    }

    private static func temporaryFolder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "belfry-demo-\(UUID().uuidString)"
        )
        return folder.path()
    }

    private static func logger(_ level: Logger.Level) -> Logger {
        var logger = Logger(label: "belfry") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = level
        return logger
    }
}

extension DemoSummary {
    fileprivate var text: String {
        let reasons = outcomes.sorted { $0.value > $1.value }
            .map { "  \($0.key): \($0.value)" }.joined(separator: "\n")
        return """
            followers                \(followers)
            planned                  \(planned)
            \(reasons)
            lost                     \(lost)
            early                    \(early)
            duplicated               \(duplicated)
            sent without permission  \(sentWithoutPermission)
            lateness, ms             p50 \(lateness.p50)  p99 \(lateness.p99)  max \(lateness.max)
            """
    }
}
