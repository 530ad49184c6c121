import BelfryCore
import Configuration
import Synchronization

/// Where settings are looked for.
package struct ConfigurationSources: Sendable {
    /// A YAML file; `nil`: `belfry.yaml` in the working folder is *not* read by itself.
    package var file: String?
    package var environment: [String: String]
    /// By dotted key, as `["http.port": "9000"]`; `true` for a flag without a value.
    package var flags: [String: String]

    package init(
        file: String? = nil,
        environment: [String: String] = [:],
        flags: [String: String] = [:]
    ) {
        self.file = file
        self.environment = environment
        self.flags = flags
    }
}

/// The configuration, and where each value came from.
package struct LoadedConfiguration: Sendable {
    package var configuration: ServerConfiguration
    package var values: [Value]

    /// One setting as it stands; secrets are redacted.
    package struct Value: Sendable, Equatable {
        package var key: String
        package var value: String
        /// `default`, `BELFRY_HTTP_PORT`, `--http-port` or `belfry.yaml:3`.
        package var origin: String
        package var meaning: String
    }
}

extension ServerConfiguration {
    /// Reads all sources: flags win over the environment, that over the file, that over the defaults.
    ///
    /// - Throws: ``ConfigurationError`` with everything that is wrong: unknown keys (with the nearest known one and the line),
    ///   values out of range, an unreadable file.
    package static func load(_ sources: ConfigurationSources) throws(ConfigurationError)
        -> LoadedConfiguration
    {
        let file = try sources.file.map { path throws(ConfigurationError) in
            try ConfigurationFile(path: path)
        }
        return try load(sources, file: file)
    }

    static func load(_ sources: ConfigurationSources, file: ConfigurationFile?)
        throws(ConfigurationError) -> LoadedConfiguration
    {
        var problems = unknownKeys(sources, file)
        let finder = Finder(sources, file)
        var configuration = ServerConfiguration()
        var values: [LoadedConfiguration.Value] = []
        for setting in Setting.all {
            let found = finder.find(setting)
            if let found {
                do { try setting.parse(found.values, &configuration) } catch {
                    problems.append("\(found.origin): \(setting.key) \(error.text)")
                }
            }
            let text = setting.render(configuration)
            values.append(
                .init(
                    key: setting.key,
                    value: setting.isSecret && !text.isEmpty ? "<redacted>" : text,
                    origin: found?.origin ?? "default",
                    meaning: setting.meaning
                )
            )
        }
        problems += configuration.contradictions()
        if !problems.isEmpty { throw ConfigurationError(problems) }
        return LoadedConfiguration(configuration: configuration, values: values)
    }

    /// What is wrong between settings that are each right.
    private func contradictions() -> [String] {
        var problems: [String] = []
        if http.auth == .loopbackOpen, !isLoopback {
            problems.append(
                "http.auth is 'loopback-open' but http.host is '\(http.host)': without keys only "
                    + "a loopback address may be listened on. Set http.auth to 'keys'."
            )
        }
        if delivery.backoffBase > delivery.backoffMax {
            problems.append("delivery.backoff-base is longer than delivery.backoff-max")
        }
        if http.bulkBytesMax < http.bodyBytesMax {
            problems.append("http.bulk-bytes-max is smaller than http.body-bytes-max")
        }
        return problems
    }

    private static func unknownKeys(_ sources: ConfigurationSources, _ file: ConfigurationFile?)
        -> [String]
    {
        let keys = Set(Setting.all.map(\.key))
        func problem(_ place: String, _ name: String, _ known: [String]) -> String {
            let nearest = Suggestion.nearest(to: name, among: known)
            return "\(place): unknown key '\(name)'"
                + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        }
        var problems: [String] = []
        if let file {
            for (key, entry) in file.entries.sorted(by: { $0.value.line < $1.value.line })
            where !keys.contains(key) {
                problems.append(problem("\(file.path):\(entry.line)", key, Array(keys)))
            }
        }
        let names = Setting.all.map(\.environmentName)
        for name in sources.environment.keys.sorted()
        where name.hasPrefix("BELFRY_") && !names.contains(name) && !foreign.contains(name) {
            problems.append(problem("environment", name, names))
        }
        for key in sources.flags.keys.sorted() where !keys.contains(key) {
            problems.append(problem("flags", key, Array(keys)))
        }
        return problems
    }

    /// Variables that others read: the manifest, the tests and the command line.
    private static let foreign: Set<String> = [
        "BELFRY_BENCHMARKS", "BELFRY_CONFIG", "BELFRY_URL", "BELFRY_KEY", "BELFRY_SEEDS",
        "BELFRY_KILL_ROUNDS", "BELFRY_DOCS", "BELFRY_ACCOUNT_SECRET", "BELFRY_ACCOUNT_TOKEN",
        "BELFRY_ACCOUNT_ENCODING_AES_KEY", "BELFRY_ACCOUNT_WEBHOOK_SECRET", "BELFRY_WRITE_DOCS",
        "BELFRY_REDIS_SERVER",
    ]
}

/// Asks the configuration library for one setting and listens which provider gave it.
private final class Finder: AccessReporter {
    struct Found {
        var values: [String]
        var origin: String
    }

    private let file: ConfigurationFile?
    private let flags: [String: String]
    private let providers: [any ConfigProvider]
    private let supplier = Mutex<String?>(nil)

    init(_ sources: ConfigurationSources, _ file: ConfigurationFile?) {
        self.file = file
        flags = sources.flags
        let arguments = sources.flags.sorted { $0.key < $1.key }.map { key, value in
            let flag = "--" + String(key.map { $0 == "." ? "-" : $0 })
            return "\(flag)=\(value)"
        }
        var providers: [any ConfigProvider] = [
            CommandLineArgumentsProvider(arguments: ["belfry"] + arguments),
            EnvironmentVariablesProvider(environmentVariables: sources.environment)
                .prefixKeys(with: "belfry"),
        ]
        if let file { providers.append(ConfigurationFileProvider(file: file)) }
        self.providers = providers
    }

    func report(_ event: AccessEvent) {
        let name = event.providerResults.last { (try? $0.result.get().value) != nil }?.providerName
        supplier.withLock { $0 = name }
    }

    func find(_ setting: Setting) -> Found? {
        supplier.withLock { $0 = nil }
        // The library cuts flags at commas, and gives no single text then; an empty one it takes for none.
        if !setting.isList, let text = flags[setting.key], text.isEmpty || text.contains(",") {
            return Found(values: [text], origin: setting.flagName)
        }
        let reader = ConfigReader(providers: providers, accessReporter: self)
        let key = ConfigKey(setting.key)
        let values =
            setting.isList
            ? reader.stringArray(forKey: key)
            : reader.string(forKey: key, isSecret: setting.isSecret).map { [$0] }
        guard let values, let name = supplier.withLock({ $0 }) else { return nil }
        return Found(values: values, origin: origin(setting, name))
    }

    private func origin(_ setting: Setting, _ provider: String) -> String {
        switch provider {
        case "file": "\(file?.path ?? "file"):\(file?.entries[setting.key]?.line ?? 0)"
        case let name where name.contains("Command") || name.contains("CLI"): setting.flagName
        default: setting.environmentName
        }
    }
}
