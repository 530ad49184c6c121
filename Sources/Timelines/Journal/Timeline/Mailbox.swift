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

/// Runs `body` on a thread of its own.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body)).toOpaque()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    #if canImport(Darwin)
    var thread: pthread_t?
    let status = pthread_create(
        &thread,
        &attributes,
        { raw in
            Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body()
            return nil
        },
        box
    )
    #else
    var thread = pthread_t()
    let status = pthread_create(
        &thread,
        &attributes,
        { raw in
            if let raw { Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body() }
            return nil
        },
        box
    )
    #endif
    precondition(status == 0, "the system gives no thread")
    pthread_attr_destroy(&attributes)
}
