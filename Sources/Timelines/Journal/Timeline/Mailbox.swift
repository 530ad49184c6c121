#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A queue that many threads put into and one thread takes everything out of, sleeping while there is nothing.
///
/// Unchecked: `items` and `isClosed` are touched only under `mutex`; the two pointers never change.
/// A condition variable of the system, because Synchronization has none and a lane must not sit on the cooperative pool.
final class Mailbox<Item: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var items: [Item] = []
    private var isClosed = false
    private var isWaiting = false

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

    /// - Parameter always: put it in even after ``refuse()``.
    /// - Returns: `false` if the mailbox takes nothing any more.
    @discardableResult
    func send(_ item: Item, always: Bool = false) -> Bool {
        pthread_mutex_lock(mutex)
        let wasOpen = !isClosed || always
        if wasOpen { items.append(item) }
        let mustWake = isWaiting
        pthread_mutex_unlock(mutex)
        // A thread that is at work looks again by itself: no system call then.
        if mustWake { pthread_cond_signal(condition) }
        return wasOpen
    }

    /// Takes everything, waiting for something to come.
    func receive(into batch: inout [Item]) {
        batch.removeAll(keepingCapacity: true)
        pthread_mutex_lock(mutex)
        while items.isEmpty {
            isWaiting = true
            pthread_cond_wait(condition, mutex)
        }
        isWaiting = false
        swap(&batch, &items)
        pthread_mutex_unlock(mutex)
    }

    /// Takes nothing from now on; what is in it can still be received.
    func refuse() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_mutex_unlock(mutex)
    }
}
