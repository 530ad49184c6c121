import Foundation
import Synchronization

/// Runs when the tests' process ends: what is shared by tests has no other end.
package func atExit(_ work: @escaping @Sendable () -> Void) {
    struct Works { static let list = Mutex<[@Sendable () -> Void]>([]) }
    let isFirst = Works.list.withLock { list in
        list.append(work)
        return list.count == 1
    }
    guard isFirst else { return }
    atexit { for work in Works.list.withLock({ $0 }) { work() } }
}
