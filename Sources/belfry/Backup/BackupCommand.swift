import ArgumentParser
import BelfryClient
import BelfryCore
import BelfryRecords
import BelfryServer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `belfry backup`: a copy of the data folder on which a server can be started.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract:
            "Write a consistent copy of the data folder, of a running server or of a stopped one.",
        discussion: """
            A running server writes the copy itself, so that the destination is a path on its machine; the API key needs the scope admin. With \
            --data-folder the folder of a stopped server is copied. The copy holds timeline, records, media, secret.key and \
            admin.key: whoever has it has everything. It belongs to the server's user alone (0700). To restore it, start a server on \
            it: belfry serve --data-folder DESTINATION. Pushes that were sent after the copy was made may then be sent again.
            """
    )

    @Argument(help: "A folder that does not exist yet, or is empty.")
    var destination: String
    @Option(help: "Copy this folder of a stopped server.")
    var dataFolder: String?
    @Option(help: "With --data-folder: the server's YAML file with settings. Or BELFRY_CONFIG.")
    var config: String?
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            if let dataFolder { return try await copyStopped(dataFolder) }
            let answer = try await api.client().call(
                .post,
                "/v1/backups",
                body: JSON.of(["destination": .string(absolute(destination))]),
                timeout: .seconds(24 * 3600)
            )
            if api.json {
                print(answer.text)
            } else {
                show(
                    answer["destination"].cell,
                    answer["bytes"].cell,
                    contains: answer["contains"].array.map(\.cell),
                    lacks: answer["lacks"].array.map(\.cell)
                )
            }
            try tellDamage(answer["damaged"].array)
        }
    }

    /// The copy is there, and it is the best there can be; but whoever asked for it must hear of this.
    private func tellDamage(_ blocks: [JSON]) throws {
        guard !blocks.isEmpty else { return }
        let places = blocks.map { block in
            "\(block["file"].cell), byte \(block["offset"].cell): \(block["pushes"].cell) pushes"
        }
        throw Failure(
            .badInput,
            "the copy is written, but the timeline is damaged, and so is its copy: \(places.joined(separator: "; "))",
            remedy: "Keep earlier copies. Stop the server and run: belfry doctor FOLDER --repair"
        )
    }

    private func copyStopped(_ folder: String) async throws {
        let report: Backup.Report
        do {
            let backup = try Backup(try settings(folder), to: absolute(destination))
            report = try await backup.writeStopped()
        } catch let failure as BackupFailure {
            throw Failure(failure.kind == .refused ? .badInput : .ioError, failure.description)
        } catch { throw Failure(starting: error) }
        if api.json { return try printJSON(Answer(report)) }
        show(
            report.destination,
            "\(report.bytes)",
            contains: report.contains,
            lacks: report.lacks
        )
    }

    private struct Answer: Encodable {
        var destination: String
        var bytes: Int
        var contains: [String]
        var lacks: [String]

        init(_ report: Backup.Report) {
            destination = report.destination
            bytes = report.bytes
            contains = report.contains
            lacks = report.lacks
        }
    }

    private func show(_ path: String, _ bytes: String, contains: [String], lacks: [String]) {
        say("\(path): \(bytes) bytes: \(contains.joined(separator: ", "))")
        for missing in lacks { printError("not in it: \(missing); keep a copy of that, too") }
    }

    private func settings(_ folder: String) throws -> ServerConfiguration {
        let environment = ProcessInfo.processInfo.environment
        let sources = ConfigurationSources(
            file: config ?? environment["BELFRY_CONFIG"],
            environment: environment,
            flags: ["data.folder": folder]
        )
        do { return try ServerConfiguration.load(sources).configuration } catch {
            throw Failure(.configuration, "the configuration is wrong:\n\(error)")
        }
    }

    private func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    }
}
