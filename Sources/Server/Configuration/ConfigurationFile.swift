import Configuration
import Yams

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A YAML configuration file: keys nest (`http: {port: 8080}`) or are dotted (`http.port: 8080`).
///
/// The library's own YAML provider keeps neither the lines nor the list of keys, and both are needed to say where an unknown key stands.
struct ConfigurationFile: Sendable {
    struct Entry: Sendable {
        var values: [String]
        var isList: Bool
        var line: Int
    }

    let path: String
    /// By dotted key.
    private(set) var entries: [String: Entry] = [:]

    init(path: String) throws(ConfigurationError) {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw ConfigurationError([
                "\(path): the configuration file (--config, BELFRY_CONFIG) cannot be read: "
                    + systemWords(error)
            ])
        }
        try self.init(path: path, text: text)
    }

    init(path: String, text: String) throws(ConfigurationError) {
        self.path = path
        let root: Node?
        do {
            root = try compose(yaml: text)
        } catch {
            throw ConfigurationError(["\(path): \(error)"])
        }
        guard let root, root != "" else { return }
        var problems: [String] = []
        collect(root, prefix: "", into: &problems)
        if !problems.isEmpty { throw ConfigurationError(problems) }
    }

    private mutating func collect(_ node: Node, prefix: String, into problems: inout [String]) {
        let line = node.mark?.line ?? 0
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                let name = key.string ?? "?"
                let dotted = prefix.isEmpty ? name : "\(prefix).\(name)"
                if entries[dotted] != nil {
                    problems.append("\(path):\(key.mark?.line ?? line): '\(dotted)' is set twice")
                }
                collect(value, prefix: dotted, into: &problems)
                entries[dotted]?.line = key.mark?.line ?? line
            }
        case .scalar(let scalar) where !prefix.isEmpty:
            entries[prefix] = Entry(values: [scalar.string], isList: false, line: line)
        case .sequence(let sequence) where sequence.allSatisfy({ $0.scalar != nil }):
            entries[prefix] = Entry(
                values: sequence.compactMap { $0.scalar?.string },
                isList: true,
                line: line
            )
        default:
            problems.append("\(path):\(line): expected 'key: value' lines")
        }
    }
}

/// Gives the file's values to a `ConfigReader`, every scalar as text.
struct ConfigurationFileProvider: ConfigProvider, ConfigSnapshot {
    let file: ConfigurationFile

    var providerName: String { "file" }

    func value(forKey key: AbsoluteConfigKey, type: ConfigType) throws -> LookupResult {
        let dotted = key.components.joined(separator: ".")
        let content: ConfigContent? = file.entries[dotted].map { entry in
            type == .stringArray || entry.isList
                ? .stringArray(entry.values) : .string(entry.values[0])
        }
        return LookupResult(
            encodedKey: dotted,
            value: content.map { ConfigValue($0, isSecret: false) }
        )
    }

    func fetchValue(forKey key: AbsoluteConfigKey, type: ConfigType) async throws -> LookupResult {
        try value(forKey: key, type: type)
    }

    func watchValue<Return: ~Copyable>(
        forKey key: AbsoluteConfigKey,
        type: ConfigType,
        updatesHandler: (ConfigUpdatesAsyncSequence<Result<LookupResult, any Error>, Never>)
            async throws -> Return
    ) async throws -> Return {
        try await watchValueFromValue(forKey: key, type: type, updatesHandler: updatesHandler)
    }

    func snapshot() -> any ConfigSnapshot { self }

    func watchSnapshot<Return: ~Copyable>(
        updatesHandler: (ConfigUpdatesAsyncSequence<any ConfigSnapshot, Never>) async throws ->
            Return
    ) async throws -> Return {
        try await watchSnapshotFromSnapshot(updatesHandler: updatesHandler)
    }
}
