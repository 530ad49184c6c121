import BelfryActivation
import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// Flows: look, check, simulate, compare, publish.
extension API {
    var flows: [Route] {
        [
            flowRoute(.get, "", "listFlows", "The flows of an account.", "FlowList") { call in
                try await listFlows(call)
            },
            flowRoute(
                .post,
                ":check",
                "checkFlow",
                "What is wrong with a flow, with line and column, and whom each step can reach.",
                "FlowCheck",
                body: "FlowSource",
                scope: .read
            ) { call in try await checkFlow(call) },
            flowRoute(
                .post,
                ":simulate",
                "simulateFlow",
                "Plays a person through flows on virtual time: what would be sent, and why.",
                "FlowTrace",
                body: "FlowSimulation",
                scope: .read
            ) { call in try await simulateFlow(call) },
            flowRoute(
                .get,
                "/{flow}",
                "getFlow",
                "A flow with the text of its published version, or of its draft.",
                "Flow"
            ) { call in try await getFlow(call) },
            flowRoute(
                .get,
                "/{flow}/versions",
                "listFlowVersions",
                "All versions, newest first.",
                "FlowVersions"
            ) { call in try await listVersions(call) },
            flowRoute(
                .post,
                "/{flow}/diff",
                "diffFlow",
                "What differs between the published version and a text, or between two versions.",
                "FlowDiff",
                body: "FlowComparison",
                scope: .read
            ) { call in try await diffFlow(call) },
            flowRoute(
                .post,
                "/{flow}/publish",
                "publishFlow",
                "Publishes a flow; a dry run tells whom that touches.",
                "PublishResult",
                body: "FlowPublication",
                scope: .flows
            ) { call in try await publishFlow(call) },
            flowRoute(
                .post,
                "/{flow}/state",
                "setFlowState",
                "Pauses, resumes or archives a flow.",
                "Flow",
                body: "FlowStateChange",
                scope: .flows
            ) { call in try await setFlowState(call) },
        ]
    }

    private func flowRoute(
        _ method: HTTPRequest.Method,
        _ suffix: String,
        _ id: String,
        _ summary: String,
        _ answer: String,
        body: String? = nil,
        scope: Scope = .read,
        _ handler: @escaping @Sendable (Call) async throws -> Response
    ) -> Route {
        Route(
            method: method,
            path: "/v1/accounts/{account}/flows\(suffix)",
            access: .scope(scope),
            operation: Operation(
                id: id,
                summary: summary,
                tag: "flows",
                body: body.map { .init($0) },
                answer: answer
            ),
            handler: handler
        )
    }

    // MARK: Looking

    private func listFlows(_ call: Call) async throws -> Response {
        let flows = try await server.records.flows.all(account: try await account(call).key)
        return .json(["items": .array(flows.map { FlowFields.json($0) })])
    }

    private func flow(_ call: Call) async throws -> FlowRecord {
        let account = try await account(call).key
        let key = try call.parameter("flow")
        guard let flow = try await server.records.flows.find(account: account, flow: key) else {
            throw Problem.notFound("flow '\(key)' of '\(account)'")
        }
        return flow
    }

    private func getFlow(_ call: Call) async throws -> Response {
        let flow = try await flow(call)
        let version = try await version(flow, flow.published ?? flow.newest)
        return .json(FlowFields.json(flow, yaml: version.yaml))
    }

    private func version(_ flow: FlowRecord, _ number: Int) async throws -> FlowVersionRecord {
        let found = try await server.records.flows.version(
            account: flow.account,
            flow: flow.flow,
            number
        )
        guard let found else { throw Problem.notFound("version \(number) of '\(flow.flow)'") }
        return found
    }

    private func listVersions(_ call: Call) async throws -> Response {
        let flow = try await flow(call)
        let versions = try await server.records.flows.history(
            account: flow.account,
            flow: flow.flow
        )
        return .json(["items": .array(versions.map { FlowFields.json($0) })])
    }

    // MARK: Checking and simulating

    private func rules(_ call: Call) async throws -> (AccountRecord, PermissionRules) {
        let record = try await account(call)
        try await server.catchUp()
        guard let account = server.accounts[record.key] else {
            throw Problem.notFound("account '\(record.key)'")
        }
        return (record, account.rules)
    }

    private func checkFlow(_ call: Call) async throws -> Response {
        let (_, rules) = try await rules(call)
        var fields = try await call.fields()
        let yaml = fields.text("yaml", 1...TextLimits.flow)
        try fields.finish()
        let parsed: ParsedFlow
        do { parsed = try FlowYAML.parse(yaml) } catch {
            return .json([
                "ok": false, "problems": .array(error.problems.map { FlowFields.json($0) }),
                "steps": [],
            ])
        }
        let findings = FlowCheck.report(parsed, rules: rules)
        return .json([
            "ok": .bool(findings.isAccepted),
            "problems": .array(
                findings.filter { $0.reach == nil || $0.severity == .error }
                    .map { FlowFields.json($0) }
            ),
            "steps": .array(
                findings.filter { $0.reach != nil }.map { FlowFields.json($0) }
            ),
        ])
    }

    private func simulateFlow(_ call: Call) async throws -> Response {
        let (record, rules) = try await rules(call)
        var fields = try await call.fields()
        let yaml = fields.optionalText("yaml", 1...TextLimits.flow)
        let acts = fields.texts("acts", count: 1...1000, bytes: 1...2048)
        if acts == nil, fields.problems.isEmpty {
            fields.note("acts", "missing", "is needed, such as [\"follow 2026-11-20T02:30\"]")
        }
        try fields.finish()
        guard let zone = LocalZone(record.timeZone) else {
            throw Problem(.invalid, "The account's time zone '\(record.timeZone)' is unknown.")
        }
        var flows: [Flow] = []
        if let yaml {
            flows = [try parse(yaml).flow]
        } else {
            for version in try await server.records.flows.published(account: record.key) {
                flows.append(try parse(version.yaml).flow)
            }
        }
        let scenario: Scenario
        do { scenario = try Scenario.parse(acts ?? [], zone: zone) } catch {
            throw Problem.invalid("/acts/\(error.line - 1)", error.problem)
        }
        let lines = FlowSimulator.run(
            flows,
            rules: rules,
            scenario: scenario,
            account: FlowAccount(key: record.key, zone: zone)
        )
        return .json(["entries": .array(lines.map { FlowFields.json($0) })])
    }

    /// - Throws: `invalid` with each mistake at its line and column.
    func parse(_ yaml: String) throws(Problem) -> ParsedFlow {
        do { return try FlowYAML.parse(yaml) } catch {
            throw .invalid(
                error.problems.map { problem in
                    .init(
                        "/yaml",
                        "yaml",
                        "\(problem.position): \(problem.message)"
                            + (problem.suggestion.map { "; did you mean '\($0)'?" } ?? "")
                    )
                }
            )
        }
    }

    private func diffFlow(_ call: Call) async throws -> Response {
        let flow = try await flow(call)
        var fields = try await call.fields()
        let yaml = fields.optionalText("yaml", 1...TextLimits.flow)
        let from = fields.integer("from", 1...Int(Int32.max))
        let to = fields.integer("to", 1...Int(Int32.max))
        try fields.finish()
        let old = try await version(flow, from ?? flow.published ?? flow.newest)
        let new: ParsedFlow
        if let yaml {
            new = try parse(yaml)
        } else {
            new = try parse(try await version(flow, to ?? flow.newest).yaml)
        }
        let diff = FlowDiff(from: try parse(old.yaml).flow, to: new.flow)
        return .json(["changes": .array(diff.changes.map { FlowFields.json($0) })])
    }

    private func setFlowState(_ call: Call) async throws -> Response {
        let before = try await flow(call)
        var fields = try await call.fields()
        let state = fields.choice("state", FlowRecord.State.self)
        if state == nil, fields.problems.isEmpty { fields.note("state", "missing", "is needed") }
        try fields.finish()
        guard let state else { throw Problem.invalid("/state", "is needed") }
        try await server.records.flows.setState(
            account: before.account,
            flow: before.flow,
            state
        )
        try await server.accounts.reload(before.account)
        try await audit(
            call,
            "flow.\(state.rawValue)",
            "flow/\(before.account)/\(before.flow)",
            before: FlowFields.json(before)
        )
        return .json(FlowFields.json(try await flow(call)))
    }
}
