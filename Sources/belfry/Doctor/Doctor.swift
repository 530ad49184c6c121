import ArgumentParser
import BelfryCore
import BelfryDoctor
import BelfryServer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `belfry doctor`: looks into a data folder without changing anything.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Look into the data folder of a stopped server: what is well, what is not, and what to do.",
        discussion: """
            Timeline and records are copied into the folder for temporary files (TMPDIR) and opened there; the data folder itself \
            is not changed. Ends with 65 if something is damaged, with 77 if something may not be read, with 75 if a server is using the folder, with \
            0 otherwise.
            """
    )

    @Argument(help: "The data folder. (default: as configured)")
    var folder: String?
    @Option(help: "The server's YAML file with settings. Or BELFRY_CONFIG.")
    var config: String?
    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await reporting {
            let doctor = DataFolderDoctor(
                try settings(),
                clock: SystemClock(),
                workshop: FileManager.default.temporaryDirectory.path()
            )
            let found = await doctor.examine()
            if json { try printJSON(Report(findings: found)) } else { show(found) }
            if found.contains(where: { $0.verdict == .damaged }) {
                throw ExitCode(Failure.Code.badInput.rawValue)
            }
            if found.contains(where: { $0.verdict == .unreadable }) {
                throw ExitCode(Failure.Code.notAllowed.rawValue)
            }
            if found.contains(where: { $0.verdict == .busy }) {
                throw ExitCode(Failure.Code.tryLater.rawValue)
            }
        }
    }

    private struct Report: Encodable {
        var findings: [Diagnosis]
    }

    private func settings() throws -> ServerConfiguration {
        let environment = ProcessInfo.processInfo.environment
        let sources = ConfigurationSources(
            file: config ?? environment["BELFRY_CONFIG"],
            environment: environment,
            flags: folder.map { ["data.folder": $0] } ?? [:]
        )
        do { return try ServerConfiguration.load(sources).configuration } catch {
            throw Failure(.configuration, "the configuration is wrong:\n\(error)")
        }
    }

    private func show(_ found: [Diagnosis]) {
        for diagnosis in found {
            print("\(diagnosis.verdict.rawValue): \(diagnosis.area): \(diagnosis.message)")
            if !diagnosis.remedy.isEmpty { print("    \(diagnosis.remedy)") }
        }
    }
}
