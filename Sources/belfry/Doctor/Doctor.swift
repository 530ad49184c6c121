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
            is not changed unless --repair is given: then damaged files are written anew from what in them is whole, what is dropped is \
            written to repair-TIME.jsonl in the data folder, and the damaged files are kept as damaged-NAME. Ends with 65 if something is damaged, with 77 if something may not be read or the server's settings are needed to find it, with 75 if a server is using the folder, with \
            0 otherwise.
            """
    )

    @Argument(help: "The data folder. (default: as configured)")
    var folder: String?
    @Option(help: "The server's YAML file with settings. Or BELFRY_CONFIG.")
    var config: String?
    @Flag(help: "Write damaged stores anew from everything in them that is whole.")
    var repair = false
    @Flag(help: "With --repair: say what would be dropped, and change nothing.")
    var dryRun = false
    @OptionGroup var confirmation: Confirmation
    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if dryRun && !repair { throw ValidationError("--dry-run goes with --repair") }
    }

    func run() async throws {
        try await reporting {
            if repair { return try await mend() }
            let doctor = DataFolderDoctor(
                try settings(),
                clock: SystemClock(),
                workshop: FileManager.default.temporaryDirectory.path()
            )
            try end(with: await doctor.examine())
        }
    }

    private func mend() async throws {
        let repair = DataFolderRepair(
            try settings(),
            clock: SystemClock(),
            isDry: dryRun,
            temporary: FileManager.default.temporaryDirectory.path()
        )
        var shown = 0
        let found = try await repair.run { found in
            if !json { show(found) }
            shown = found.count
            try confirmation.ask("Write the damaged files anew without what is named above?")
        }
        try end(with: found, shown: shown)
    }

    /// Prints what was found, as far as it was not shown; the worst of it is the exit code.
    private func end(with found: [Diagnosis], shown: Int = 0) throws {
        if json { try printJSON(Report(findings: found)) } else { show(found.dropFirst(shown)) }
        let codes: [(Diagnosis.Verdict, Failure.Code)] = [
            (.damaged, .badInput), (.unreadable, .notAllowed), (.busy, .tryLater),
        ]
        for (verdict, code) in codes where found.contains(where: { $0.verdict == verdict }) {
            throw ExitCode(code.rawValue)
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

    private func show(_ found: some Sequence<Diagnosis>) {
        for diagnosis in found {
            say("\(diagnosis.verdict.rawValue): \(diagnosis.area): \(diagnosis.message)")
            if !diagnosis.remedy.isEmpty { say("    \(diagnosis.remedy)") }
        }
    }
}
