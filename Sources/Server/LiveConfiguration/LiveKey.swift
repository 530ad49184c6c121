import BelfryCore

/// What can be set while the server runs: a key, and the text of its value.
///
///     delivery.batch                most pushes in one claim
///     delivery.concurrency          messages that one account sends at once
///     delivery.sweep                longest time between two looks at the timeline
///     timeline.shards               shards of the timeline on Redis: another number moves all pushes
///     account.KEY.rate              messages a second
///     account.KEY.concurrency       messages under way at once
///     account.KEY.paused            why every push of the account is held
///     flow.ACCOUNT/FLOW.paused      why every push of the flow is held
enum LiveKey: Hashable, Sendable {
    case batch
    case concurrency
    case sweep
    case shards
    case accountRate(String)
    case accountConcurrency(String)
    case accountPaused(String)
    case flowPaused(account: String, flow: String)

    /// - Throws: ``LiveProblem`` where there is no such key.
    init(_ text: String) throws(LiveProblem) {
        switch text {
        case "delivery.batch": self = .batch
        case "delivery.concurrency": self = .concurrency
        case "delivery.sweep": self = .sweep
        case "timeline.shards": self = .shards
        default:
            guard let key = Self.named(text) else {
                throw LiveProblem(key: text, text: Self.unknown)
            }
            self = key
        }
    }

    /// A key that names an account or a flow. Their names may hold dots: the first word and the last are ours.
    private static func named(_ text: String) -> LiveKey? {
        guard let first = text.firstIndex(of: "."), let last = text.lastIndex(of: "."), first < last
        else { return nil }
        let name = String(text[text.index(after: first)..<last])
        guard !name.isEmpty else { return nil }
        switch (text[..<first], text[text.index(after: last)...]) {
        case ("account", "rate"): return .accountRate(name)
        case ("account", "concurrency"): return .accountConcurrency(name)
        case ("account", "paused"): return .accountPaused(name)
        case ("flow", "paused"):
            guard let slash = name.lastIndex(of: "/"), slash > name.startIndex,
                name.index(after: slash) < name.endIndex
            else { return nil }
            return .flowPaused(
                account: String(name[..<slash]),
                flow: String(name[name.index(after: slash)...])
            )
        default: return nil
        }
    }

    /// Every form of key, what it may be, and what it is for.
    static let forms: [(key: String, allowed: String, meaning: String)] = [
        ("delivery.batch", "1 to \(PushLimits.batchPushes)", "Most pushes in one claim."),
        ("delivery.concurrency", "1 to 10000", "Messages that one account sends at once."),
        ("delivery.sweep", "1s to 1h", "Longest time between two looks at the timeline."),
        (
            "timeline.shards", "1 to 16384",
            "Shards of the timeline on Redis: another number moves all pushes, while they are sent."
        ),
        ("account.KEY.rate", "1 to 1000000", "Messages a second of one account."),
        ("account.KEY.concurrency", "1 to 10000", "Messages under way at once of one account."),
        ("account.KEY.paused", "why, 1 to 200 bytes", "Holds every push of one account."),
        ("flow.ACCOUNT/FLOW.paused", "why, 1 to 200 bytes", "Holds every push of one flow."),
    ]

    private static let unknown =
        "is none of \(forms.map(\.key).joined(separator: ", "))"
}

/// Why a value cannot be set while running.
package struct LiveProblem: Error, Sendable, Hashable {
    package var key: String
    /// Goes behind the key: "must be 1 to 10".
    package var text: String
}
