import BelfryActivation
import BelfryCore
package import BelfryRecords
import Crypto

extension ReportedEvent {
    /// Takes the event in: notes its name at the person, and starts the flow that it asks for.
    ///
    /// The same event (person, name, flow, time, variables) again changes nothing.
    ///
    /// - Throws: ``Problem`` where it asks for a flow that no event can start, or gives that flow what it does not know.
    package func take(
        by intake: Intake,
        _ records: Records,
        _ accounts: AccountBook
    ) async throws
        -> ReportedAnswer
    {
        try check(accounts[recipient.account]?.open.map(\.flow) ?? [])
        guard let flow else {
            try await note(in: records)
            return ReportedAnswer()
        }
        let answer = try await intake.take(
            Happening(
                key: key,
                recipient: recipient,
                event: FlowEvent(.api(variables: variables), at: at),
                change: .acted,
                flows: [flow]
            )
        )
        try await note(in: records)
        return ReportedAnswer(
            pushes: answer.planned.map(\.id),
            refusal: answer.notEntered.first.map { "\($0.reason)" }
        )
    }

    private func check(_ published: [Flow]) throws(Problem) {
        guard let flow else {
            guard variables.isEmpty else {
                throw .invalid("/variables", "belong to a flow; name it in 'flow'")
            }
            return
        }
        let startable = published.filter { $0.trigger == .api }
        guard let found = startable.first(where: { $0.key == flow }) else {
            let keys = startable.map(\.key).sorted()
            let known = keys.isEmpty ? "there is none" : "there are \(keys.joined(separator: ", "))"
            throw .invalid("/flow", "no published flow '\(flow)' has an api trigger; \(known)")
        }
        let declared = found.variables.keys.sorted()
        let unknown = variables.keys.sorted().filter { !declared.contains($0) }
        guard unknown.isEmpty else {
            let known = declared.isEmpty ? "none" : declared.joined(separator: ", ")
            throw .invalid(
                unknown.map {
                    .init(
                        "/variables/\($0.escapedForPointer)",
                        "unknown",
                        "is not declared by the flow '\(flow)'; it declares \(known)"
                    )
                }
            )
        }
    }

    private func note(in records: Records) async throws {
        guard let name else { return }
        try await records.people.update(recipient) { person in
            person.note(event: name, at: at)
        }
    }

    private var key: String {
        var hash = SHA256()
        let values = variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let parts = [
            recipient.account, recipient.person, name ?? "", flow ?? "", "\(at.milliseconds)",
        ]
        hash.update(data: Array((parts + values).joined(separator: "\u{1F}").utf8))
        return "api/" + Hex.text(hash.finalize())
    }
}
