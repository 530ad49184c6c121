import BelfryActivation
import BelfryCore
import BelfryRecords
import Hummingbird

/// Publishing a flow, and telling first whom that touches.
extension API {
    /// So many people inside are looked at to say what becomes of them; a larger flow is told as a sample.
    static let insidersMax = 100_000

    private struct Publication {
        var record: AccountRecord
        var account: Account
        var flow: ParsedFlow
        var yaml: String
        var policy: InsiderPolicy
        var note: String
        var isDryRun: Bool
    }

    func publishFlow(_ call: Call) async throws -> Response {
        let publication = try await publication(call)
        var impact = try await impact(of: publication)
        if !publication.isDryRun {
            let version = try await server.records.flows.publish(
                account: publication.record.key,
                flow: publication.flow.flow.key,
                yaml: publication.yaml,
                policy: publication.policy.rawValue,
                note: publication.note,
                by: call.principal.id
            )
            try await server.accounts.reload(publication.record.key)
            impact["moved"] = .count(try await moveInsiders(of: publication))
            try await audit(
                call,
                "flow.publish",
                "flow/\(publication.record.key)/\(publication.flow.flow.key)",
                after: ["version": .count(version.version)]
            )
            impact["version"] = .count(version.version)
        }
        return .json(
            .object(
                [
                    .init("dry_run", .bool(publication.isDryRun)),
                    .init("policy", .string(publication.policy.rawValue)),
                ] + impact.sorted { $0.key < $1.key }.map { .init($0.key, $0.value) }
            )
        )
    }

    private func moveInsiders(of publication: Publication) async throws -> Int {
        guard publication.policy == .followLive,
            let account = server.accounts[publication.record.key],
            let versions = account.versions[publication.flow.flow.key]
        else { return 0 }
        return try await FlowMove(
            account: account,
            versions: versions,
            records: server.records,
            timeline: server.timeline,
            clock: server.clock
        ).run()
    }

    private func publication(_ call: Call) async throws -> Publication {
        let record = try await account(call)
        let key = try call.parameter("flow")
        var fields = try await call.fields()
        let yaml = fields.text("yaml", 1...TextLimits.flow)
        let policy = fields.choice("policy", InsiderPolicy.self) ?? .pinned
        let note = fields.optionalText("note", 0...TextLimits.sentence) ?? ""
        let isDryRun = fields.flag("dry_run") ?? false
        try fields.finish()
        let flow = try parse(yaml)
        guard flow.flow.key == key else {
            throw Problem.invalid("/yaml", "its key is '\(flow.flow.key)', not '\(key)'")
        }
        try await server.catchUp()
        guard let account = server.accounts[record.key] else {
            throw Problem.notFound("account '\(record.key)'")
        }
        let findings = FlowCheck.report(flow, rules: account.rules)
        guard findings.isAccepted else {
            throw Problem.invalid(
                findings.filter { $0.severity == .error }.map { finding in
                    let place = finding.position.map { "\($0): " } ?? ""
                    return .init("/yaml", finding.code, place + finding.message)
                }
            )
        }
        return Publication(
            record: record,
            account: account,
            flow: flow,
            yaml: yaml,
            policy: policy,
            note: note,
            isDryRun: isDryRun
        )
    }

    /// Counts the people inside, and what the policy does to them.
    private func impact(of publication: Publication) async throws -> [String: JSONValue] {
        var members: [String: JSONValue] = [
            "version": .null, "inside": 0, "staying": 0, "moving": 0, "leaving": 0,
            "past_due": 0, "notes": [],
        ]
        let key = publication.flow.flow.key
        guard let versions = publication.account.versions[key] else {
            members["notes"] = ["This is the first version."]
            return members
        }
        var plan = PublishPlan(
            versions: versions,
            publishing: publication.flow.flow,
            planner: publication.account.planner,
            now: server.clock.now()
        )
        let (inside, isComplete) = try await countInsiders(publication, into: &plan)
        let effect = plan.effects[publication.policy]
        members["inside"] = .count(inside)
        members["moving"] = .count((effect?.touched ?? 0) - (effect?.leaving ?? 0))
        members["leaving"] = .count(effect?.leaving ?? 0)
        members["staying"] = .count(inside - (effect?.touched ?? 0))
        members["past_due"] = .count(effect?.pastDue ?? 0)
        var notes = plan.diff.changes.map { $0.description }
        if plan.diff.isEmpty { notes = ["Nothing differs from the published version."] }
        if !isComplete {
            notes.append("Only the first \(Self.insidersMax) people were counted.")
        }
        members["notes"] = .array(notes.map { .string($0) })
        return members
    }

    private func countInsiders(_ publication: Publication, into plan: inout PublishPlan)
        async throws -> (inside: Int, isComplete: Bool)
    {
        let insiders = FlowInsiders(
            account: publication.record.key,
            flow: publication.flow.flow.key,
            records: server.records,
            timeline: server.timeline,
            clock: server.clock
        )
        var inside = 0
        var cursor: String?
        repeat {
            let page = try await insiders.page(cursor: cursor)
            for insider in page.inside {
                plan.add(insider.position, person: FlowPerson(insider.person))
            }
            inside += page.inside.count
            cursor = page.next
        } while cursor != nil && inside < Self.insidersMax
        return (inside, cursor == nil)
    }
}
