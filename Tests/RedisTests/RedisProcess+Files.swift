import BelfryRedisProcess
import Foundation
import Synchronization

extension RedisProcess {
    /// Copies what it has on disk.
    func keepFiles(in place: String) throws {
        // There is nothing the first time.
        try? FileManager.default.removeItem(atPath: place)
        try FileManager.default.copyItem(atPath: folder, toPath: place)
    }

    /// Has on disk what it had then.
    func takeFiles(from place: String) throws {
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.copyItem(atPath: place, toPath: folder)
    }
}

/// Runs when the tests' process ends: what is shared by tests has no other end.
func atExit(_ work: @escaping @Sendable () -> Void) {
    struct Works { static let list = Mutex<[@Sendable () -> Void]>([]) }
    let isFirst = Works.list.withLock { list in
        list.append(work)
        return list.count == 1
    }
    guard isFirst else { return }
    atexit { for work in Works.list.withLock({ $0 }) { work() } }
}
