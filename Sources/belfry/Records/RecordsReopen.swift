import ArgumentParser
import BelfryRecords
import BelfryServer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `belfry records reopen`
struct RecordsReopen: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reopen",
        abstract: "Put records in force again that were left by a move.",
        discussion: """
            For a stopped server, where the place that the records were moved to is lost for good: what was written there since the move is lost with it. \
            Reads the same settings as the server (data.folder, records.url).
            """
    )

    @Option(help: "The data folder. (default: as configured)")
    var dataFolder: String?
    @Option(help: "The server's YAML file with settings. Or BELFRY_CONFIG.")
    var config: String?
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        try await reporting {
            let environment = ProcessInfo.processInfo.environment
            let sources = ConfigurationSources(
                file: config ?? environment["BELFRY_CONFIG"],
                environment: environment,
                flags: dataFolder.map { ["data.folder": $0] } ?? [:]
            )
            let configuration: ServerConfiguration
            do { configuration = try ServerConfiguration.load(sources).configuration } catch {
                throw Failure(.configuration, "the configuration is wrong:\n\(error)")
            }
            do {
                let place = try BelfryNode.recordsPlace(configuration)
                try confirmation.ask("Put the records in \(place.name) in force again?")
                try await Records.reopen(place)
                say("the records in \(place.name) are in force")
            } catch let failure as Failure { throw failure } catch {
                throw Failure(starting: error)
            }
        }
    }
}
