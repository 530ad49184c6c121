import BelfryCore

/// Notes how late messages are handed over: to nobody, or to another channel, which has then answered.
final class LatenessChannel: Channel {
    let name: String
    private let target: (any Channel)?
    private let log: LatenessLog

    init(_ log: LatenessLog, target: (any Channel)? = nil) {
        name = target?.name ?? "null"
        self.target = target
        self.log = log
    }

    func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        let began = microsecondsNow()
        let outcomes =
            await target?.send(messages)
            ?? Array(repeating: .sent(reference: nil), count: messages.count)
        log.note(
            messages.lazy.map(\.asked.milliseconds),
            from: began,
            until: target == nil ? began : microsecondsNow(),
            failed: outcomes.count { if case .sent = $0 { false } else { true } }
        )
        return outcomes
    }
}
