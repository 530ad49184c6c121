import BelfryCore
import BelfryRecords
import Logging
import Synchronization

/// Corrects the history by what WeChat tells, after a template message or subscribe notification was accepted, of what became of it.
///
/// A report can come before the message is on record, as ends of messages that were sent are recorded after they are settled: it then
/// waits here for that. What waits is bounded, and lost at a stop: the message then stays on record as sent.
final class NoticeReports: Sendable {
    private struct State {
        var waiting: [DeliveryReport] = []
        /// Counts up when messages were recorded: whoever looked before may look again.
        var recorded = 0
    }

    private let records: Records
    private let feed: LiveFeed
    private let waitingLimit: Int
    private let state = Mutex(State())

    init(records: Records, feed: LiveFeed, waitingLimit: Int = 10_000) {
        self.records = records
        self.feed = feed
        self.waitingLimit = waitingLimit
    }

    /// Returns when the report is noted, or waits for its message to be recorded.
    func take(_ report: DeliveryReport) async throws(RecordsError) {
        while true {
            let recorded = state.withLock { $0.recorded }
            switch try await records.deliveries.note(report) {
            case .known: return
            case .noted(let delivery):
                feed.publish([delivery])
                return
            case .unmatched: break
            }
            let isParked = state.withLock { state in
                guard state.recorded == recorded else { return false }
                // The oldest has waited longest in vain: most likely another program sent its message.
                if state.waiting.count >= waitingLimit { state.waiting.removeFirst() }
                state.waiting.append(report)
                return true
            }
            if isParked { return }
        }
    }

    /// Takes up the reports that came before these lines were on record.
    func recorded(_ lines: [DeliveryRecord]) async throws(RecordsError) {
        let people = Set(lines.filter(\.isAcceptedNotice).map(\.recipient))
        guard !people.isEmpty else { return }
        let waiting = state.withLock { state in
            state.recorded += 1
            let (rest, taken) = state.waiting.parted { people.contains($0.recipient) }
            state.waiting = rest
            return taken
        }
        for report in waiting { try await take(report) }
    }
}

extension DeliveryRecord {
    fileprivate var isAcceptedNotice: Bool {
        ["template", "subscribe"].contains(channel)
            && (state == .ended(.sent) || state == .ended(.unknown))
    }
}

extension Array {
    /// Those for which it does not hold, and those for which it does, both in order.
    fileprivate func parted(by condition: (Element) -> Bool) -> (rest: [Element], taken: [Element])
    {
        (filter { !condition($0) }, filter(condition))
    }
}
