#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A queue that many put into and several threads take out of, one at a time, sleeping while there is nothing.
///
/// Unchecked: `items` and `isClosed` are touched only under `mutex`; the two pointers never change.
/// A condition variable of the system, because Synchronization has none.
final class JobQueue<Item: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var items: [Item] = []
    private var taken = 0
    private var isClosed = false

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// - Returns: `false` if the queue is closed.
    func send(_ item: Item) -> Bool {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        guard !isClosed else { return false }
        items.append(item)
        pthread_cond_signal(condition)
        return true
    }

    /// The next item, in order, waiting for one; `nil` when the queue is closed and empty.
    func receive() -> Item? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while taken == items.count {
            if isClosed { return nil }
            pthread_cond_wait(condition, mutex)
        }
        defer {
            taken += 1
            if taken == items.count || taken > 1024 {
                items.removeFirst(taken)
                taken = 0
            }
        }
        return items[taken]
    }

    /// Takes nothing from now on; what is in it is still given out.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }
}
