import ArgumentParser
import BelfryActivation
import BelfryClient

/// `belfry flow apply`: publishes flows, after saying whom it touches.
struct FlowApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Publish flows; what that does to the people inside is told first.",
        discussion: """
            Policies for people inside: pinned (new texts, old structure; the default), follow-live (new structure too), \
            finish-on-old (nothing changes for them), exit (they leave the flow).
            """
    )

    @Argument(help: "The account.")
    var account: String
    @Argument(help: "YAML files, one flow each.")
    var files: [String]
    @Option(help: "What becomes of the people inside: pinned, follow-live, finish-on-old or exit.")
    var policy: String?
    @Option(help: "What this version is about, for the history.")
    var note: String?
    @Flag(help: "Only tell what would be done.")
    var dryRun = false
    @OptionGroup var confirmation: Confirmation
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let client = try api.client()
            // All of them first: a mistake in the last file is found before the first is published.
            let flows = try files.map { path in
                (
                    path: path, yaml: try Input.text(of: path),
                    key: try FlowFile.read(path).parsed.flow.key
                )
            }
            for flow in flows {
                let plan = try await publish(client, flow.key, flow.yaml, flow.path, isDryRun: true)
                if !api.json { show(plan, flow.key) }
                if dryRun {
                    if api.json { print(plan.text) }
                    continue
                }
                try confirmation.ask("Publish '\(flow.key)' to '\(account)'?")
                let done = try await publish(
                    client,
                    flow.key,
                    flow.yaml,
                    flow.path,
                    isDryRun: false
                )
                print(
                    api.json
                        ? done.text : "\(flow.key): version \(done["version"].cell) is published"
                )
            }
        }
    }

    private func publish(
        _ client: APIClient,
        _ key: String,
        _ yaml: String,
        _ path: String,
        isDryRun: Bool
    ) async throws -> JSON {
        let body = JSON.of([
            "yaml": .string(yaml), "policy": .text(policy), "note": .text(note),
            "dry_run": .bool(isDryRun),
        ])
        return try await client.call(.post, FlowPath.of(account, key) + "/publish", body: body)
    }

    private func show(_ plan: JSON, _ key: String) {
        let inside = plan["inside"].integer ?? 0
        print(
            "\(key): \(inside) \(inside == 1 ? "person is" : "people are") inside (policy \(plan["policy"].cell))"
        )
        if inside > 0 {
            print(
                "  \(plan["staying"].cell) go on as they are, \(plan["moving"].cell) go over to the new version, "
                    + "\(plan["leaving"].cell) leave; \(plan["past_due"].cell) would be due at once"
            )
        }
        for note in plan["notes"].array { say("  \(note.cell)") }
    }
}
