import Synchronization

/// A database in whose place another can come while it is used: writes wait at a gate for the moment that takes.
final class MovableDatabase: SQLDatabase {
    private struct State {
        var current: any SQLDatabase
        var isHeld = false
        var writing = 0
        /// Writes that wait at the gate.
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// Waits for the last write that was let through.
        var drained: CheckedContinuation<Void, Never>?
    }

    /// More than this is more than a moment's writes: memory is bounded by saying so.
    private static let waitingMax = 65_536

    private let state: Mutex<State>

    init(_ database: any SQLDatabase) { state = Mutex(State(current: database)) }

    /// What is in force.
    var current: any SQLDatabase { state.withLock { $0.current } }

    // MARK: The gate

    /// Lets no more writes in, and returns when those before have ended.
    func hold() async {
        await withCheckedContinuation { continuation in
            let isQuiet = state.withLock { state in
                state.isHeld = true
                if state.writing > 0 { state.drained = continuation }
                return state.writing == 0
            }
            if isQuiet { continuation.resume() }
        }
    }

    /// Lets writes in again.
    ///
    /// - Parameter database: takes the place of the one in force; `nil`: that stays.
    /// - Returns: the one that was in force.
    @discardableResult
    func release(to database: (any SQLDatabase)? = nil) -> any SQLDatabase {
        let (before, waiting) = state.withLock { state in
            defer {
                state.isHeld = false
                state.waiting = []
                if let database { state.current = database }
            }
            return (state.current, state.waiting)
        }
        for continuation in waiting { continuation.resume() }
        return before
    }

    private func enter() async throws(RecordsError) -> any SQLDatabase {
        while true {
            let database: (any SQLDatabase)? = state.withLock { state in
                guard !state.isHeld else { return nil }
                state.writing += 1
                return state.current
            }
            if let database { return database }
            guard state.withLock({ $0.waiting.count < Self.waitingMax }) else {
                throw RecordsError(.full, "\(Self.waitingMax) writes are waiting already")
            }
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if state.isHeld { state.waiting.append(continuation) }
                    return !state.isHeld
                }
                if isOpen { continuation.resume() }
            }
        }
    }

    private func leave() {
        let drained = state.withLock { state in
            state.writing -= 1
            guard state.writing == 0 else { return nil as CheckedContinuation<Void, Never>? }
            defer { state.drained = nil }
            return state.drained
        }
        drained?.resume()
    }

    // MARK: What passes

    @discardableResult
    func write<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLSession) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value {
        let database = try await enter()
        defer { leave() }
        return try await database.write(work)
    }

    func read<Value: Sendable>(
        _ work: @escaping @Sendable (any SQLSession) throws(RecordsError) -> Value
    ) async throws(RecordsError) -> Value {
        let database = current
        do throws(RecordsError) { return try await database.read(work) } catch {
            // Another one has come between the look and the reading.
            guard error.code == .closed, current !== database else { throw error }
            return try await current.read(work)
        }
    }

    var moving: any MovingWords { current.moving }
    var commits: Int { current.commits }
    var waitingWrites: Int { current.waitingWrites + state.withLock { $0.waiting.count } }

    func migrate(_ migrations: [SQLMigration]) async throws(RecordsError) {
        try await current.migrate(migrations)
    }
    func foldLog(fully: Bool) async { await current.foldLog(fully: fully) }
    func copy(to path: String) async throws(RecordsError) { try await current.copy(to: path) }
    func close() async { await current.close() }
    func verify() async throws(RecordsError) -> [String] { try await current.verify() }
    func size() async throws(RecordsError) -> Int { try await current.size() }
    func verifyStructure() async throws(RecordsError) -> [String] {
        try await current.verifyStructure()
    }
}
