package import BelfryCore

/// What was set while running, read from its texts. What is not set is as the configuration, or the account, says.
package struct LiveSettings: Sendable, Hashable {
    package struct OfAccount: Sendable, Hashable {
        package var rate: Int?
        package var concurrency: Int?
        package var weight: Int?
        /// Why everything is held.
        package var paused: String?
        /// The band of everything that is scheduled.
        package var priority: Priority?
    }

    /// The name of a flow of an account.
    package struct FlowName: Sendable, Hashable {
        package var account: String
        package var flow: String

        package init(account: String, flow: String) {
            self.account = account
            self.flow = flow
        }

        /// `account/flow`; the account's key may hold slashes. `nil` where one of them is empty.
        init?(_ text: String) {
            guard let slash = text.lastIndex(of: "/"), slash > text.startIndex,
                text.index(after: slash) < text.endIndex
            else { return nil }
            self.init(
                account: String(text[..<slash]),
                flow: String(text[text.index(after: slash)...])
            )
        }
    }

    package var batch: Int?
    package var concurrency: Int?
    package var sweep: Duration?
    package var overloadDefer: ServerConfiguration.Overload.Bands?
    package var overloadLagGoal: Duration?
    package var overloadDeferralMax: Duration?
    package var shards: Int?
    package var accounts: [String: OfAccount] = [:]
    /// Why a flow is held.
    package var pausedFlows: [FlowName: String] = [:]
    package var flowPriorities: [FlowName: Priority] = [:]
    /// Why the reminders of a topic are held.
    package var pausedTopics: [String: String] = [:]
    package var topicPriorities: [String: Priority] = [:]

    package init() {}

    /// - Throws: ``LiveProblem`` for the first key, in alphabetical order, that is unknown or whose value is not allowed.
    package init(_ values: [String: String]) throws(LiveProblem) {
        for (key, value) in values.sorted(by: { $0.key < $1.key }) { try set(key, to: value) }
    }

    private mutating func set(_ key: String, to text: String) throws(LiveProblem) {
        switch try LiveKey(key) {
        case .batch: batch = try Self.integer(key, text, 1...PushLimits.batchPushes)
        case .concurrency: concurrency = try Self.integer(key, text, 1...10_000)
        case .sweep: sweep = try Self.duration(key, text, .seconds(1) ... .hours(1))
        case .overloadDefer: overloadDefer = try Self.bands(key, text)
        case .overloadLagGoal:
            overloadLagGoal = try Self.duration(key, text, .milliseconds(10) ... .minutes(10))
        case .overloadDeferralMax:
            overloadDeferralMax = try Self.duration(key, text, .seconds(1) ... .days(1))
        case .accountWeight(let name):
            accounts[name, default: OfAccount()].weight = try Self.integer(key, text, 1...100)
        case .shards: shards = try Self.integer(key, text, 1...16_384)
        case .accountRate(let name):
            accounts[name, default: OfAccount()].rate = try Self.integer(key, text, 1...1_000_000)
        case .accountConcurrency(let name):
            accounts[name, default: OfAccount()].concurrency = try Self.integer(
                key,
                text,
                1...10_000
            )
        case .accountPaused(let name):
            accounts[name, default: OfAccount()].paused = try Self.reason(key, text)
        case .accountPriority(let name):
            accounts[name, default: OfAccount()].priority = try Self.band(key, text)
        case .flowPaused(let flow): pausedFlows[flow] = try Self.reason(key, text)
        case .flowPriority(let flow): flowPriorities[flow] = try Self.band(key, text)
        case .topicPaused(let topic): pausedTopics[topic] = try Self.reason(key, text)
        case .topicPriority(let topic): topicPriorities[topic] = try Self.band(key, text)
        }
    }

    private static func bands(_ key: String, _ text: String) throws(LiveProblem)
        -> ServerConfiguration.Overload.Bands
    {
        guard let bands = ServerConfiguration.Overload.Bands(rawValue: text) else {
            throw LiveProblem(key: key, text: "must be off, low or normal")
        }
        return bands
    }

    private static func band(_ key: String, _ text: String) throws(LiveProblem) -> Priority {
        guard let band = Priority(name: text) else {
            throw LiveProblem(key: key, text: "must be one of \(LiveKey.bands)")
        }
        return band
    }

    private static func integer(_ key: String, _ text: String, _ range: ClosedRange<Int>)
        throws(LiveProblem) -> Int
    {
        guard let number = Int(text), range ~= number else {
            throw LiveProblem(
                key: key,
                text: "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    private static func duration(_ key: String, _ text: String, _ range: ClosedRange<Duration>)
        throws(LiveProblem) -> Duration
    {
        guard let duration = DurationText.parse(text), range ~= duration else {
            let least = DurationText.inOneUnit(range.lowerBound)
            let most = DurationText.inOneUnit(range.upperBound)
            throw LiveProblem(key: key, text: "must be a duration from \(least) to \(most)")
        }
        return duration
    }

    private static func reason(_ key: String, _ text: String) throws(LiveProblem) -> String {
        guard 1...200 ~= text.utf8.count else {
            throw LiveProblem(key: key, text: "must say why, in 1 to 200 bytes")
        }
        guard !text.utf8.contains(0) else {
            throw LiveProblem(key: key, text: "must not contain U+0000")
        }
        return text
    }
}
