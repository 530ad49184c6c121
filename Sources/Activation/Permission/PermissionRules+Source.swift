import BelfryCore
import Yams

extension PermissionRules {
    /// Reads an account's own table from YAML or JSON:
    ///
    ///     name: ours
    ///     based_on: wechat-2023        # optional: a preset whose rows hold unless said otherwise
    ///     combine: separate            # separate | refresh | add
    ///     consume: shortest-lived      # shortest-lived | all
    ///     actions:
    ///       message: { for: 48h, quota: 5 }
    ///       follow: { for: 1m, quota: unlimited }
    ///       menu: none
    ///
    /// - Throws: ``InvalidSource`` with every mistake, its line and column.
    package static func parse(_ bytes: [UInt8]) throws(InvalidSource) -> PermissionRules {
        let root = try SourceText.tree(bytes, what: "a rule table with 'name' and 'actions'")
        var reader = SourceReader()
        let rules = reader.rules(root)
        guard let rules, reader.problems.isEmpty else {
            throw InvalidSource(problems: reader.problems)
        }
        return rules
    }
}

extension SourceReader {
    fileprivate mutating func rules(_ root: Node) -> PermissionRules? {
        let members = members(
            root,
            "",
            known: ["name", "based_on", "combine", "consume", "actions"]
        )
        guard case .mapping = root else { return nil }
        require(["name"], members, root, "")
        if members["actions"] == nil, members["based_on"] == nil {
            report(root, "", "'actions' is missing")
        }
        let name = members["name"].flatMap { key($0, "name") }
        if let name, let node = members["name"], PermissionRules.preset(name) != nil {
            report(node, "name", "'\(name)' is the name of a preset; choose another")
        }
        let preset = members["based_on"]
            .flatMap { word($0, "based_on", PermissionRules.presets.map(\.name)) }
            .flatMap { PermissionRules.preset($0) }
        let combination = members["combine"]
            .flatMap { choice($0, "combine", PermissionRules.Combination.self) }
        let consumption = members["consume"]
            .flatMap { choice($0, "consume", PermissionRules.Consumption.self) }
        var table = preset?.table ?? [:]
        if let actions = members["actions"] { readActions(actions, into: &table) }
        guard let name else { return nil }
        return PermissionRules(
            name: name,
            table: table,
            combination: combination ?? preset?.combination ?? .separate,
            consumption: consumption ?? preset?.consumption ?? .shortestLived,
            isUnlimited: preset?.isUnlimited ?? false
        )
    }

    private mutating func readActions(
        _ node: Node,
        into table: inout [GrantingAction: GrantTerms]
    ) {
        let members = members(node, "actions", known: GrantingAction.allCases.map(\.rawValue))
        for (name, value) in members {
            guard let action = GrantingAction(rawValue: name) else { continue }
            let path = "actions.\(name)"
            if case .scalar = value {
                if word(value, path, ["none"]) != nil { table[action] = nil }
            } else if let terms = terms(value, path) {
                table[action] = terms
            }
        }
    }

    private mutating func terms(_ node: Node, _ path: String) -> GrantTerms? {
        let members = members(node, path, known: ["for", "quota"])
        guard case .mapping = node else { return nil }
        require(["for", "quota"], members, node, path)
        let duration = members["for"].flatMap { span($0, "\(path).for", atLeast: .seconds(1)) }
        guard let duration, let quota = members["quota"] else { return nil }
        if case .scalar(let scalar) = quota, scalar.string == "unlimited" {
            return GrantTerms(duration: duration, quota: nil)
        }
        return integer(quota, "\(path).quota", in: 1...1_000_000)
            .map { GrantTerms(duration: duration, quota: $0) }
    }
}
