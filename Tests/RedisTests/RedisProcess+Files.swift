import BelfryRedisProcess
import Foundation

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
