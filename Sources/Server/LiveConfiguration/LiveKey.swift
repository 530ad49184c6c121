import BelfryCore

/// What can be set while the server runs: a key, and the text of its value.
///
///     delivery.batch                most pushes in one claim
///     delivery.concurrency          messages that one account sends at once; of brokers and logs, calls
///     delivery.sweep                longest time between two looks at the timeline
///     overload.defer                which bands wait when capacity is short
///     overload.lag-goal             how late the others may become before that
///     overload.deferral-max         how long they wait at most
///     timeline.shards               shards of the timeline on Redis: another number moves all pushes
///     account.KEY.rate              messages a second
///     account.KEY.concurrency       messages under way at once
///     account.KEY.weight            messages in a turn, compared with other accounts
///     account.KEY.paused            why every push of the account is held
///     account.KEY.priority          the band of every push of the account
///     flow.ACCOUNT/FLOW.paused      why every push of the flow is held
///     flow.ACCOUNT/FLOW.priority    the band of every push of the flow
///     topic.TOPIC.paused            why every reminder of the topic is held
///     topic.TOPIC.priority          the band of every reminder of the topic
enum LiveKey: Hashable, Sendable {
    case batch
    case concurrency
    case sweep
    case overloadDefer
    case overloadLagGoal
    case overloadDeferralMax
    case shards
    case accountRate(String)
    case accountConcurrency(String)
    case accountWeight(String)
    case accountPaused(String)
    case accountPriority(String)
    case flowPaused(LiveSettings.FlowName)
    case flowPriority(LiveSettings.FlowName)
    case topicPaused(String)
    case topicPriority(String)

    /// - Throws: ``LiveProblem`` where there is no such key.
    init(_ text: String) throws(LiveProblem) {
        switch text {
        case "delivery.batch": self = .batch
        case "delivery.concurrency": self = .concurrency
        case "delivery.sweep": self = .sweep
        case "overload.defer": self = .overloadDefer
        case "overload.lag-goal": self = .overloadLagGoal
        case "overload.deferral-max": self = .overloadDeferralMax
        case "timeline.shards": self = .shards
        default:
            guard let key = Self.named(text) else {
                throw LiveProblem(key: text, text: Self.unknown(text))
            }
            self = key
        }
    }

    /// A key that names an account, a flow or a topic.
    private static func named(_ text: String) -> LiveKey? {
        guard let parts = parts(text), !parts.name.isEmpty else { return nil }
        let name = String(parts.name)
        switch (parts.first, parts.last) {
        case ("account", "rate"): return .accountRate(name)
        case ("account", "concurrency"): return .accountConcurrency(name)
        case ("account", "weight"): return .accountWeight(name)
        case ("account", "paused"): return .accountPaused(name)
        case ("account", "priority"): return .accountPriority(name)
        case ("flow", "paused"): return LiveSettings.FlowName(name).map { .flowPaused($0) }
        case ("flow", "priority"): return LiveSettings.FlowName(name).map { .flowPriority($0) }
        case ("topic", "paused"): return .topicPaused(name)
        case ("topic", "priority"): return .topicPriority(name)
        default: return nil
        }
    }

    /// Names may hold dots: the first word and the last are ours.
    private static func parts(_ text: String) -> (
        first: Substring, name: Substring, last: Substring
    )? {
        guard let first = text.firstIndex(of: "."), let last = text.lastIndex(of: "."), first < last
        else { return nil }
        return (
            text[..<first], text[text.index(after: first)..<last], text[text.index(after: last)...]
        )
    }

    /// Every form of key, what it may be, and what it is for.
    static let forms: [(key: String, allowed: String, meaning: String)] = [
        ("delivery.batch", "1 to \(PushLimits.batchPushes)", "Most pushes in one claim."),
        (
            "delivery.concurrency", "1 to 10000",
            "Messages that one account sends at once; of brokers, calls."
        ),
        ("delivery.sweep", "1s to 1h", "Longest time between two looks at the timeline."),
        ("overload.defer", "off, low or normal", "Which bands wait when capacity is short."),
        ("overload.lag-goal", "10ms to 10m", "How late the others may become before that."),
        ("overload.deferral-max", "1s to 1d", "How long a push is deferred at most."),
        (
            "timeline.shards", "1 to 16384",
            "Shards of the timeline on Redis: another number moves all pushes, while they are sent."
        ),
        ("account.KEY.rate", "1 to 1000000", "Messages a second of one account."),
        (
            "account.KEY.concurrency", "1 to 10000",
            "Messages under way at once of one account; of brokers, calls."
        ),
        ("account.KEY.weight", "1 to 100", "Messages in a turn of one account; 1 unless set."),
        ("account.KEY.paused", "why, 1 to 200 bytes", "Holds every push of one account."),
        ("account.KEY.priority", bands, "Band of every push of one account from now on."),
        ("flow.ACCOUNT/FLOW.paused", "why, 1 to 200 bytes", "Holds every push of one flow."),
        ("flow.ACCOUNT/FLOW.priority", bands, "Band of every push of one flow from now on."),
        ("topic.TOPIC.paused", "why, 1 to 200 bytes", "Holds every reminder of one topic."),
        ("topic.TOPIC.priority", bands, "Band of every reminder of one topic from now on."),
    ]

    static let bands = Priority.allCases.map(\.name).joined(separator: ", ")

    private static func unknown(_ text: String) -> String {
        let nearest = nearest(to: text).map { "; did you mean '\($0)'?" } ?? ""
        return "is none of \(forms.map(\.key).joined(separator: ", "))\(nearest)"
    }

    /// What a misspelt key probably meant. The name within it is taken as it is.
    private static func nearest(to text: String) -> String? {
        let typed = parts(text)
        var whole: [String: String] = [:]
        for (form, _, _) in forms {
            guard let ours = parts(form) else {
                whole[form] = form
                continue
            }
            let key = "\(ours.first).\(ours.last)"
            whole[key] = typed.map { "\(ours.first).\($0.name).\(ours.last)" } ?? form
        }
        let word = typed.map { "\($0.first).\($0.last)" } ?? text
        return Suggestion.nearest(to: word, among: whole.keys).flatMap { whole[$0] }
    }
}

/// Why a value cannot be set while running.
package struct LiveProblem: Error, Sendable, Hashable {
    package var key: String
    /// Goes behind the key: "must be 1 to 10".
    package var text: String
}
