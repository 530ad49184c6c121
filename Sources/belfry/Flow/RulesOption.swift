import ArgumentParser
import BelfryActivation

/// Which permission rules an offline command works by.
struct RulesOption: ParsableArguments {
    @Option(
        help: """
            The permission rules: \(PermissionRules.presets.map(\.name).joined(separator: ", ")), or a YAML file with a table.
            """
    )
    var rules = "wechat-2023"

    /// - Throws: ``Failure`` where there is no such preset and no such file, or the file is wrong.
    func load() throws -> PermissionRules {
        if let preset = PermissionRules.preset(rules) { return preset }
        guard rules.contains(".") || rules.contains("/") else {
            let names = PermissionRules.presets.map(\.name).joined(separator: ", ")
            throw Failure(
                .badInput,
                "there are no rules '\(rules)'; presets are \(names); a table of your own is named by its file"
            )
        }
        let bytes = try Input.bytes(of: rules)
        do { return try PermissionRules.parse(bytes) } catch {
            throw Failure(.badInput, FlowFile.places(error, in: rules))
        }
    }
}
