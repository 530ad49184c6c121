import ArgumentParser
import BelfryClusterDemo
import Dispatch
import Foundation

/// `belfry-cluster-demo`: a coupon rush on a cluster of this machine's own, with a worker and a primary of Redis killed in the middle of it.
@main
struct ClusterDemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belfry-cluster-demo",
        abstract: "Play a coupon rush on a cluster on this machine, and count what came of it.",
        discussion: """
            Starts a Redis Cluster, PostgreSQL, RabbitMQ and three belfry serve; all of it is stopped and removed at the end. The exit code is 1 where anybody was lost, told \
            early or against their word, or where more came twice than the killed worker held.
            """
    )

    @Option(help: "How many people subscribe.")
    var people = 20_000
    @Option(
        help:
            "Seconds from the first worker until it opens. Without it, by the number of people."
    )
    var opensIn: Int?
    @Option(help: "The program to serve with. Without it, the belfry beside this one.")
    var belfry: String?
    @Flag(help: "Print the result as JSON, and nothing else.")
    var json = false

    func validate() throws {
        guard (100...200_000).contains(people) else {
            throw ValidationError("--people must be 100 to 200000.")
        }
        guard (5...3600).contains(opensIn ?? 5) else {
            throw ValidationError("--opens-in must be 5 to 3600 seconds.")
        }
    }

    func run() async throws {
        // A server that hangs up is an error of its caller, not the end of this program.
        signal(SIGPIPE, SIG_IGN)
        let quiet = json
        let demo = ClusterDemo(
            people: people,
            opensIn: opensIn.map { .seconds($0) },
            belfry: try program(),
            tell: { line in
                if !quiet { FileHandle.standardOutput.write(Data("\(Self.time()) \(line)\n".utf8)) }
            }
        )
        let work = Task { try await demo.run() }
        let signals = [SIGINT, SIGTERM].map { cancel(work, on: $0) }
        defer { for signal in signals { signal.cancel() } }
        let report: RushReport
        do { report = try await work.value } catch {
            FileHandle.standardError.write(
                Data("error: \(work.isCancelled ? "stopped" : "\(error)")\n".utf8)
            )
            throw ExitCode(work.isCancelled ? 130 : 2)
        }
        print(json ? try text(report) : report.text)
        if !report.isClean { throw ExitCode.failure }
    }

    private func program() throws -> String {
        let own = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        let path = belfry ?? own.appending(path: "belfry").path()
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw ValidationError("\(path) is no program: build it, or name one with --belfry.")
        }
        return URL(filePath: path).standardizedFileURL.path()
    }

    /// Whoever stops the demonstration does not want to look for its servers.
    private func cancel(_ work: Task<RushReport, any Error>, on number: Int32)
        -> any DispatchSourceSignal
    {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler { work.cancel() }
        source.resume()
        return source
    }

    private func text(_ report: RushReport) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(report), as: UTF8.self)
    }

    /// Of the day, here.
    private static func time() -> String {
        let now = Date()
        let zone = TimeInterval(TimeZone.current.secondsFromGMT(for: now))
        let second = Int((now.timeIntervalSince1970 + zone) * 1000) % 86_400_000
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let thousandths = String(1000 + second % 1000).dropFirst()
        return
            "\(two(second / 3_600_000)):\(two(second / 60_000 % 60)):\(two(second / 1000 % 60)).\(thousandths)"
    }
}
