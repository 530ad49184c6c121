import ArgumentParser
import BelfryServer

/// Settings given as flags: `--http-port 9000`, `--http-port=9000`, `--http-access-log`.
enum SettingFlags {
    /// - Returns: by dotted key; `true` for a flag without a value. Unknown flags stay in, for the configuration to refuse.
    /// - Throws: `ValidationError` for what is no flag, or lacks its value.
    static func parse(_ arguments: [String]) throws -> [String: String] {
        var found: [String: String] = [:]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument.count > 2 else {
                throw ValidationError("Unexpected argument '\(argument)'.")
            }
            let halves = argument.split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            let name = String(halves[0])
            let setting = Setting.all.first { $0.flagName == name }
            let key = setting?.key ?? String(name.dropFirst(2))
            guard found[key] == nil || setting?.isList == true else {
                throw ValidationError("\(name) is given twice.")
            }
            let value: String
            if halves.count > 1 {
                value = String(halves[1])
            } else if let next = rest.first, takes(next, setting) {
                value = next
                rest = rest.dropFirst()
            } else if setting == nil || setting?.allowed == yesOrNo {
                value = "true"
            } else {
                throw ValidationError("\(name) needs a value: \(setting?.allowed ?? "").")
            }
            found[key] = found[key].map { "\($0),\(value)" } ?? value
        }
        return found
    }

    private static func takes(_ next: String, _ setting: Setting?) -> Bool {
        if setting?.allowed == yesOrNo { return next == "true" || next == "false" }
        return !next.hasPrefix("--")
    }

    private static let yesOrNo = "true or false"

    /// One line a setting.
    static var help: String {
        let standard = ServerConfiguration.defaults
        return Setting.all.map { setting in
            let value = standard[setting.key].map { $0.isEmpty ? "" : " (default: \($0))" } ?? ""
            return "  \(setting.flagName)\n      \(setting.meaning)\(value)"
        }.joined(separator: "\n")
    }
}

extension ServerConfiguration {
    /// The text of each setting's default, by key.
    static var defaults: [String: String] {
        // Nothing is given, so nothing can be wrong.
        guard let loaded = try? ServerConfiguration.load(ConfigurationSources()) else { return [:] }
        return Dictionary(loaded.values.map { ($0.key, $0.value) }) { $1 }
    }
}
