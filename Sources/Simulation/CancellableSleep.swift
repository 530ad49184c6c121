import BelfryCore
import Synchronization

/// The tasks that sleep until a clock of the simulation wakes them.
struct Sleepers<Deadline: Sendable> {
    struct Sleeper: Sendable {
        fileprivate var id: Int
        var deadline: Deadline
        fileprivate var continuation: CheckedContinuation<Bool, Never>

        func wake() { continuation.resume(returning: true) }
    }

    private(set) var waiting: [Sleeper] = []
    private var cancelled: Set<Int> = []
    private var nextID = 0

    fileprivate mutating func makeID() -> Int {
        nextID += 1
        return nextID
    }

    /// Whether a sleep that begins now was cancelled before it began.
    fileprivate mutating func wasCancelled(_ id: Int) -> Bool { cancelled.remove(id) != nil }

    fileprivate mutating func add(_ sleeper: Sleeper) { waiting.append(sleeper) }

    /// Takes a cancelled sleeper out; `nil` where its sleep has not begun yet.
    fileprivate mutating func cancel(_ id: Int) -> Sleeper? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else {
            cancelled.insert(id)
            return nil
        }
        return waiting.remove(at: index)
    }

    /// Takes out those whose time has come.
    mutating func takeDue(_ isDue: (Deadline) -> Bool) -> [Sleeper] {
        let due = waiting.filter { isDue($0.deadline) }
        waiting.removeAll { isDue($0.deadline) }
        return due
    }
}

/// A clock's state that tasks sleep on.
protocol SleepState: SendableMetatype {
    associatedtype Deadline: Sendable
    var sleepers: Sleepers<Deadline> { get set }
    func isDue(_ deadline: Deadline) -> Bool
}

extension Mutex where Value: SleepState {
    /// Sleeps until the state's owner wakes whoever is due.
    ///
    /// - Parameter deadline: worked out when the sleep begins.
    borrowing func sleep(until deadline: @Sendable (Value) -> Value.Deadline)
        async throws(CancellationError)
    {
        let (id, deadline) = withLock { ($0.sleepers.makeID(), deadline($0)) }
        let woken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = withLock { state in
                    if state.sleepers.wasCancelled(id) { return false }
                    if state.isDue(deadline) { return true }
                    state.sleepers.add(
                        .init(id: id, deadline: deadline, continuation: continuation)
                    )
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            withLock { $0.sleepers.cancel(id) }?.continuation.resume(returning: false)
        }
        if !woken { throw CancellationError() }
    }
}
