import Foundation

/// A path in the system's temporary folder; what is made there goes with the last holder.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "belfry-end-to-end-\(UUID().uuidString)"
    }

    // Nothing can be done about a folder that stays behind.
    deinit { try? FileManager.default.removeItem(atPath: path) }
}
