import BelfryActivation
import BelfryCore
import BelfryRecords
import Crypto

extension ReportedEvent {
    /// Takes the event in: notes its name at the person, and starts the flow that it asks for.
    ///
    /// The same event (person, name, flow, time, variables) again changes nothing.
    func take(by intake: Intake, _ records: Records) async throws -> ReportedAnswer {
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
        let refusal = answer.notEntered.first.map { "\($0.reason)" }
        let isUnknown = answer.planned.isEmpty && refusal == nil && !answer.isRepetition
        return ReportedAnswer(
            pushes: answer.planned.map(\.id),
            refusal: isUnknown ? "no published flow '\(flow)' has an api trigger" : refusal
        )
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
