import ArgumentParser
import BelfryBench
import BelfryPeers
import Dispatch
import Foundation

/// `belfry-peers`: what other servers do with the same pushes on the same machine, held against Belfry in the same run.
@main
struct PeersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belfry-peers",
        abstract: "Measure Redis, beanstalkd, RabbitMQ and PostgreSQL, and compare with Belfry."
    )

    @OptionGroup var options: BenchmarkOptions
    @Flag(help: "Leave out the line that names the columns: the rows continue a table.")
    var noHeader = false

    private static let all =
        Benchmark.simplePeers + [Benchmark.scheduleRabbitMQ, Benchmark.schedulePostgreSQL]
        + Benchmark.reminders + [Benchmark.remindersRabbitMQ]

    func validate() throws { try options.check(among: Self.all) }

    func run() async throws {
        let signals = [SIGINT, SIGTERM].map(stopOn)
        defer { for signal in signals { signal.cancel() } }
        // A server that hangs up is an error of its benchmark, not the end of this program.
        signal(SIGPIPE, SIG_IGN)
        try await options.run(among: Self.all, header: !noHeader)
    }

    /// Whoever interrupts a benchmark does not want to look for its servers.
    private func stopOn(_ number: Int32) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler {
            PeerServer.stopAll()
            // A benchmark whose server is gone ends by itself, and removes its folder.
            DispatchQueue.global().asyncAfter(deadline: .now() + 2) {
                Foundation.exit(128 + number)
            }
        }
        source.resume()
        return source
    }
}
