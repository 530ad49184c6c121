import ArgumentParser
import BelfryServer
import Logging

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// `belfry serve`: the server.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server.",
        discussion: """
            Every setting can be given in a YAML file (--config, http: {port: 9000}), as an environment variable \
            (BELFRY_HTTP_PORT) and as a flag (--http-port 9000). Flags win over the environment, that over the file, that over \
            the default. What is not known is an error.

            Settings:
            \(SettingFlags.help)
            """
    )

    @Option(help: "A YAML file with settings. Or BELFRY_CONFIG.")
    var config: String?
    @Flag(help: "Print every setting, its value and where it came from, and end.")
    var printConfig = false
    @Flag(help: "With --print-config: print JSON.")
    var json = false
    @Argument(parsing: .allUnrecognized, help: .hidden)
    var settings: [String] = []

    func run() async throws {
        try await reporting {
            let loaded = try load()
            if printConfig {
                return print(json ? loaded.json() : loaded.text())
            }
            do { try await serve(loaded) } catch { throw Failure(starting: error) }
        }
    }

    private func serve(_ loaded: LoadedConfiguration) async throws {
        let configuration = loaded.configuration
        var opened = try await BelfryNode.openPatiently(
            configuration,
            logger: Logger(configuration.log)
        )
        opened.settings = loaded.values
        let node = opened
        let folder = configuration.data.folder
        try await node.run(listening: { port in
            if node.firstKey != nil {
                printError("made the first API key; it lies in \(configuration.adminKeyFile)")
            }
            let place = configuration.publicURL(port: port)
            print("belfry \(Belfry.configuration.version) is at \(place), its data in \(folder)")
            flushOutput()
        })
    }

    private func load() throws -> LoadedConfiguration {
        let environment = ProcessInfo.processInfo.environment
        let sources = ConfigurationSources(
            file: config ?? environment["BELFRY_CONFIG"],
            environment: environment,
            flags: try SettingFlags.parse(settings)
        )
        do { return try ServerConfiguration.load(sources) } catch {
            throw Failure(.configuration, "the configuration is wrong:\n\(error)")
        }
    }
}
