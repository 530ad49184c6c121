package import BelfryCore
package import BelfryServer

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Looks into the data folder of a stopped server and tells what is well and what is not. Changes nothing: a database, which has to be opened for
/// writing to be read (it replays its log), is copied first and opened there.
package struct DataFolderDoctor: Sendable {
    let folder: String
    let configuration: ServerConfiguration
    let clock: any WallClock
    let workshop: String

    /// - Parameters:
    ///   - configuration: for the key file and the key; its `data.folder` is the one that is looked at.
    ///   - workshop: an existing folder for copies, which are removed again.
    package init(_ configuration: ServerConfiguration, clock: any WallClock, workshop: String) {
        folder = configuration.data.folder
        self.configuration = configuration
        self.clock = clock
        self.workshop = workshop
    }

    package func examine() async -> [Diagnosis] {
        guard isFolder(folder) else {
            return [
                Diagnosis(
                    "folder",
                    .damaged,
                    "\(folder) is no folder",
                    remedy: "Name the server's data folder, or start a server to make it."
                )
            ]
        }
        guard access(folder, R_OK | X_OK) == 0 else {
            return [
                Diagnosis(
                    "folder",
                    .unreadable,
                    "this user may not look into \(folder): \(String(cString: strerror(errno)))",
                    remedy: Self.asOwner
                )
            ]
        }
        var found = folderAccess() + secretFiles() + clockSanity() + diskRoom()
        let timeline = timeline()
        found += timeline.found
        found += await redis()
        found += await postgres()
        let lock = FolderLock(path: "\(folder)/timeline/LOCK")
        guard !lock.isHeldElsewhere else {
            let busy = Self.busy(folder)
            return found.contains(busy) ? found : found + [busy]
        }
        let copies = "\(workshop)/belfry-doctor-\(UUID().uuidString)"
        let missing = missingSettings()
        found += missing
        if !missing.contains(where: { $0.area == "records" }) {
            found += await records(copyIn: copies, pending: timeline.pending)
        }
        // What is left lies in the folder for temporary files.
        try? FileManager.default.removeItem(atPath: copies)
        withExtendedLifetime(lock) {}
        return found
    }

    func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }
}
