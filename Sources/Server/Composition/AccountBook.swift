package import BelfryActivation
package import BelfryCore
package import BelfryRecords
package import BelfryWeChat
import Synchronization

/// One account with everything worked out that is needed again and again. Never changes: a change of the account makes a new one.
///
/// A class, because it is handed to every callback and every push: a struct of this size is copied field by field.
package final class Account: Sendable {
    package let record: AccountRecord
    package let rules: PermissionRules
    package let planner: FlowPlanner
    /// `nil` where the account has no token to believe callbacks with.
    package let callback: WeChatCallback?
    package let quietHours: QuietHours?
    /// The versions that people may be in, by the flow's key.
    package let versions: [String: FlowVersions]
    /// The published versions of flows that people may enter.
    package let open: [PublishedFlow]

    package var key: String { record.key }

    fileprivate init(_ record: AccountRecord, flows: FlowShelf, faults: inout [String]) {
        self.record = record
        do {
            rules = try PermissionRules(record)
        } catch {
            faults.append("\(error)")
            // With unreadable rules nothing is allowed rather than everything.
            rules = PermissionRules(name: "unreadable", table: [:])
        }
        let zone = LocalZone(record.timeZone) ?? .shanghai
        planner = FlowPlanner(
            account: FlowAccount(
                key: record.key,
                zone: zone,
                channel: record.kind.rawValue,
                name: record.name,
                channels: BelfryNode.channelNames
            )
        )
        do {
            callback = try record.callbackSettings.map(WeChatCallback.init)
        } catch {
            faults.append("\(error)")
            callback = nil
        }
        quietHours = record.quietHours.flatMap { QuietHours(json: $0) }
        if quietHours == nil, let text = record.quietHours {
            faults.append("quiet_hours: \(text) is not {\"from\":\"22:00\",\"to\":\"08:00\"}")
        }
        versions = flows.versions
        open = flows.open
    }
}

/// The accounts as they are now, in memory: read for every callback and every push, read anew when somebody changes one, here or through another server.
package final class AccountBook: Sendable {
    private struct State {
        var accounts: [String: Account] = [:]
        var problems: [String: String] = [:]
        /// Which look into the records each account comes from, or its absence: an earlier look that ends later tells what is over.
        var looks: [String: Int] = [:]
        var newest = 0
    }

    private let records: Records
    private let state = Mutex(State())
    /// What each account had sent on the day this process began, before it began.
    private let used = Mutex<(day: ChinaDay, sent: [String: Int])?>(nil)

    private let watcher = Mutex<(@Sendable (Account) -> Void)?>(nil)

    package init(records: Records) { self.records = records }

    /// Tells `watcher` of every account that is read anew from now on.
    func watch(_ watcher: @escaping @Sendable (Account) -> Void) {
        self.watcher.withLock { $0 = watcher }
    }

    package subscript(key: String) -> Account? { state.withLock { $0.accounts[key] } }

    package var all: [Account] {
        state.withLock { $0.accounts.values.sorted { $0.key < $1.key } }
    }

    /// What is wrong with accounts that could not be read fully, by account.
    package var faults: [String: String] { state.withLock { $0.problems } }

    func usedBefore(_ account: String, day: ChinaDay) -> Int {
        used.withLock { $0?.day == day ? $0?.sent[account] ?? 0 : 0 }
    }

    /// Reads what was sent today before this process began. Once, before anything is sent.
    package func countToday(now: Timestamp) async throws(RecordsError) {
        let day = ChinaDay(of: now)
        var sent: [String: Int] = [:]
        for account in all {
            let total = try await records.counters.total(
                account: account.key,
                from: day.begins,
                to: day.ends,
                bucket: .hour
            )
            sent[account.key] = total.sent + total[.ended(.unknown)]
        }
        let counted = sent
        used.withLock { $0 = (day, counted) }
    }

    /// Reads every account anew.
    package func reload() async throws(RecordsError) {
        let look = look()
        for record in try await records.accounts.all() { try await load(record, look) }
    }

    /// Reads one account anew, after it or one of its flows was changed.
    package func reload(_ key: String) async throws(RecordsError) {
        let look = look()
        guard let record = try await records.accounts.find(key) else {
            return put(nil, key, faults: [], look)
        }
        try await load(record, look)
    }

    private func look() -> Int {
        state.withLock { state in
            state.newest += 1
            return state.newest
        }
    }

    private func load(_ record: AccountRecord, _ look: Int) async throws(RecordsError) {
        var faults: [String] = []
        let flows = try await FlowShelf.read(account: record.key, from: records, faults: &faults)
        let account = Account(record, flows: flows, faults: &faults)
        put(account, record.key, faults: faults, look)
        watcher.withLock { $0 }?(account)
    }

    private func put(_ account: Account?, _ key: String, faults: [String], _ look: Int) {
        state.withLock { state in
            guard state.looks[key] ?? 0 < look else { return }
            state.looks[key] = look
            state.accounts[key] = account
            state.problems[key] = faults.isEmpty ? nil : faults.joined(separator: "; ")
        }
    }
}

/// The flows of one account, read from their texts.
struct FlowShelf: Sendable {
    var versions: [String: FlowVersions] = [:]
    var open: [PublishedFlow] = []

    /// Reads the versions of each flow from the oldest that people may still be in. A text that can no longer be read (it could when it
    /// was published) is left out and named in `faults`.
    static func read(account: String, from records: Records, faults: inout [String])
        async throws(RecordsError) -> FlowShelf
    {
        var shelf = FlowShelf()
        for flow in try await records.flows.all(account: account) where flow.published != nil {
            let history = try await records.flows.history(account: account, flow: flow.flow)
            var versions: [PublishedFlow] = []
            for version in history where version.publishedAt != nil {
                do {
                    versions.append(
                        PublishedFlow(
                            flow: try FlowYAML.parse(version.yaml).flow,
                            version: version.version,
                            insiders: InsiderPolicy(rawValue: version.policy) ?? .pinned
                        )
                    )
                } catch {
                    faults.append("flow \(flow.flow), version \(version.version): \(error)")
                }
            }
            guard let read = FlowVersions(versions) else { continue }
            shelf.versions[flow.flow] = read
            if flow.state == .published { shelf.open.append(read.current) }
        }
        return shelf
    }
}
