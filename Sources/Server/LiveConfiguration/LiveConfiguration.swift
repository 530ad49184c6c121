package import BelfryCore
package import BelfryRecords
import Synchronization

/// What is set while the server runs, kept in the records: one document with a revision, so that changes that belong together are made together.
///
/// The node that makes a change applies it at once. Other nodes over the same records look for a new revision (``follow(every:failed:)``). Each
/// writes down which one it has applied.
package final class LiveConfiguration: Sendable {
    /// What was set at one revision.
    package struct Revision: Sendable, Hashable {
        /// 0: nothing was ever set.
        package var number = 0
        package var values: [String: String] = [:]
        package var at: Timestamp?
        package var who: String?
    }

    private struct State {
        var revision = Revision()
        var settings = LiveSettings()
        var watchers: [@Sendable (LiveSettings) -> Void] = []
        /// When this node applied what is in force on it, and last said so.
        var applied: Timestamp?
        var beat: Timestamp?
        var shards: @Sendable () -> Int? = { nil }
    }

    /// How often a node says that it is there, and after what time of silence it is taken for gone.
    static let beat = Duration.seconds(5)
    package static let silence = Duration.seconds(20)

    private static let name = "live"

    private let records: Records
    private let clock: any WallClock
    /// Names this process among those over the same records.
    let node: String
    private let state = Mutex(State())

    /// - Parameter node: names this process among those over the same records.
    package init(records: Records, clock: any WallClock, node: String) {
        self.records = records
        self.clock = clock
        self.node = node
    }

    /// What is in force on this node.
    package var settings: LiveSettings { state.withLock { $0.settings } }

    /// The revision that is in force on this node.
    package var revision: Revision { state.withLock { $0.revision } }

    /// Tells `watcher` what is in force, now and after every change.
    package func watch(_ watcher: @escaping @Sendable (LiveSettings) -> Void) {
        let settings = state.withLock { state in
            state.watchers.append(watcher)
            return state.settings
        }
        watcher(settings)
    }

    // MARK: Reading

    /// Applies what the records hold, if that is another revision than the one in force.
    ///
    /// - Throws: `RecordsError`; ``LiveProblem`` where another version of Belfry has set what this one does not know. What was in force stays.
    package func refresh() async throws {
        guard let record = try await records.settings.find(Self.name),
            record.version != revision.number
        else { return }
        try await apply(Revision(record))
    }

    /// Applies what the records hold, at the start.
    ///
    /// - Throws: ``StartFailure`` where it cannot be understood: what was set to be held must not be sent.
    func takeUp() async throws {
        do { try await refresh() } catch let problem as LiveProblem {
            throw StartFailure(
                .misconfigured,
                "What was set while running cannot be used: \(problem.key) \(problem.text). Use the version of Belfry that has set it, or a newer one."
            )
        }
    }

    /// Looks for changes of other nodes until cancelled, and tells them that this one is there.
    ///
    /// - Parameters:
    ///   - span: how often to look; zero: never, others hear of this node all the same.
    ///   - books: what else is looked at as often.
    ///   - failed: told of what keeps it from looking or applying; it goes on.
    package func follow(
        every span: Duration,
        books: BookFollower? = nil,
        failed: @Sendable (any Error) -> Void
    ) async {
        do {
            while true {
                try await clock.sleep(for: span > .zero ? min(span, Self.beat) : Self.beat)
                do {
                    // First: what another version has set and this one does not know must not keep it from following.
                    if span > .zero { try await books?.catchUp() }
                    if span > .zero { try await refresh() }
                    try await beat()
                } catch { failed(error) }
            }
        } catch {
            // Cancelled: that is how it ends.
        }
    }

    private func apply(_ revision: Revision) async throws {
        let settings = try LiveSettings(revision.values)
        let watchers = state.withLock { state in
            // Two changes may come here in another order than they were made.
            guard revision.number > state.revision.number else {
                return [] as [@Sendable (LiveSettings) -> Void]
            }
            state.revision = revision
            state.settings = settings
            return state.watchers
        }
        for watcher in watchers { watcher(settings) }
        let now = clock.now()
        state.withLock { ($0.applied, $0.beat) = (now, nil) }
        try await beat()
    }

    // MARK: Nodes

    /// - Parameter shards: says how many shards of a shared timeline are this node's own.
    package func tell(shards: @escaping @Sendable () -> Int?) {
        state.withLock { $0.shards = shards }
    }

    /// Says that this node is there, and what is in force on it, where that is due.
    func beat() async throws(RecordsError) {
        let now = clock.now()
        let (state, isDue) = state.withLock { state in
            let isDue = state.beat.map { now >= $0 + Self.beat || now < $0 } ?? true
            if isDue { state.beat = now }
            return (state, isDue)
        }
        guard isDue else { return }
        try await records.nodes.beat(
            NodeRecord(
                node: node,
                revision: state.revision.number,
                applied: state.applied ?? now,
                seen: now,
                shards: state.shards()
            )
        )
    }

    /// Says so where nobody has heard of this node yet: in records that have moved.
    func announce() async throws(RecordsError) {
        state.withLock { $0.beat = nil }
        try await beat()
    }

    /// The names of the other nodes that are alive.
    func others() async throws(RecordsError) -> [String] {
        try await nodes().filter { $0.node != node && isAlive($0) }.map(\.node)
    }

    /// This node ends, and nobody need wait for it.
    func leave() async throws(RecordsError) { try await records.nodes.leave(node) }

    /// What each node has applied, by its name. One that has ended without a word stays with its last.
    package func nodes() async throws(RecordsError) -> [NodeRecord] {
        try await records.nodes.all()
    }

    /// Whether a node has said that it is there a short while ago.
    package func isAlive(_ other: NodeRecord) -> Bool {
        other.node == node || clock.now() < other.seen + Self.silence
    }

    /// Newest first.
    package func history(limit: Int) async throws -> [Revision] {
        try await records.settings.history(Self.name, limit: limit).map { try Revision($0) }
    }

    // MARK: Changing

    /// Sets some values and clears others, all or none.
    ///
    /// - Parameters:
    ///   - changes: the new text of each key; `nil` clears it.
    ///   - expected: the revision that the change was made from; `nil`: whichever is the newest.
    /// - Returns: the new revision; the newest where everything is so already.
    /// - Throws: ``LiveProblem``; `RecordsError` with `conflict` where somebody else was first.
    @discardableResult
    package func set(_ changes: [String: String?], expected: Int? = nil, by who: String)
        async throws -> Revision
    {
        for key in changes.keys { _ = try LiveKey(key) }
        let newest = try await newest()
        var values = newest.values
        for (key, value) in changes { values[key] = value }
        return try await put(values, in: newest, expected: expected, by: who)
    }

    /// Sets everything as it was at an earlier revision. That is a new revision, too, unless everything is so already.
    ///
    /// - Parameters:
    ///   - number: 0: nothing set.
    ///   - beside: what is set in place of what the earlier revision says.
    /// - Returns: `nil` where there is no such revision.
    package func rollback(
        to number: Int,
        beside: [String: String] = [:],
        expected: Int? = nil,
        by who: String
    ) async throws -> Revision? {
        let newest = try await newest()
        guard let values = try await revision(number)?.values else { return nil }
        let wanted = values.merging(beside) { $1 }
        return try await put(wanted, in: newest, expected: expected, by: who)
    }

    /// An earlier revision; `nil` where there is none. 0: nothing set.
    func revision(_ number: Int) async throws -> Revision? {
        guard number > 0 else { return Revision() }
        return try await records.settings.version(number, of: Self.name).map { try Revision($0) }
    }

    /// Writes what differs from the newest revision, and nothing where nothing does.
    private func put(
        _ values: [String: String],
        in newest: Revision,
        expected: Int?,
        by who: String
    ) async throws -> Revision {
        let expected = expected ?? newest.number
        guard values == newest.values, expected == newest.number else {
            return try await write(values, expected: expected, by: who)
        }
        // Another server may have set it, and this one not heard of it yet.
        if newest.number != revision.number { try await apply(newest) }
        return newest
    }

    private func newest() async throws -> Revision {
        try await records.settings.find(Self.name).map { try Revision($0) } ?? Revision()
    }

    private func write(_ values: [String: String], expected: Int, by who: String) async throws
        -> Revision
    {
        // Read before it is written: what cannot be applied is never a revision.
        _ = try LiveSettings(values)
        let members = values.sorted { $0.key < $1.key }
            .map { JSONValue.Member($0.key, .string($0.value)) }
        let record = try await records.settings.set(
            Self.name,
            to: JSONValue.object(members).text,
            by: who,
            expected: expected
        )
        let revision = try Revision(record)
        try await apply(revision)
        return revision
    }
}

extension LiveConfiguration.Revision {
    /// - Throws: ``LiveProblem`` where the document cannot be read.
    fileprivate init(_ record: SettingRecord) throws {
        number = record.version
        at = record.at
        who = record.who
        let document = try? JSONValue(parsing: Array(record.value.utf8))
        for member in document?.members ?? [] { values[member.name] = member.value.string }
        guard let count = document?.members?.count, count == values.count else {
            throw LiveProblem(
                key: "revision \(number)",
                text: "cannot be read: it is no object of texts"
            )
        }
    }
}
