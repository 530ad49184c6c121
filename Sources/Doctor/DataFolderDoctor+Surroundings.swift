import BelfryCore
import BelfryServer

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

/// What the stores need around them: access, secrets, time and room.
extension DataFolderDoctor {
    func folderAccess() -> [Diagnosis] {
        var found: [Diagnosis] = []
        if access(folder, W_OK | X_OK) != 0 {
            found.append(
                Diagnosis(
                    "folder",
                    .warning,
                    "\(folder) cannot be written by this user",
                    remedy:
                        "A server run by this user would not start: give it the folder (chown), or run doctor as its user."
                )
            )
        }
        if let mode = mode(of: folder), mode & 0o077 != 0 {
            found.append(
                Diagnosis(
                    "folder",
                    .warning,
                    "others on the machine may look into \(folder) (mode \(String(mode, radix: 8)))",
                    remedy: "chmod 700 \(folder)"
                )
            )
        }
        return found.isEmpty
            ? [Diagnosis("folder", .well, "\(folder) belongs to this user alone")] : found
    }

    /// Stores that the folder's server has elsewhere, while nobody has said here where: without that they would look as if they were lost.
    func missingSettings() -> [Diagnosis] {
        DataFolder.missingPlaces(configuration).map { setting, place in
            let isOfRecords = setting == "records.url"
            return Diagnosis(
                isOfRecords ? "records" : "timeline",
                .unreadable,
                "the server of \(folder) keeps its \(isOfRecords ? "records" : "pushes") in \(place), but \(setting) is not set here: they were not looked at",
                remedy:
                    "Run doctor with the server's settings: --config FILE (or BELFRY_CONFIG), or with its environment (BELFRY_\(setting.uppercased().replacing(".", with: "_")) and what else it has)."
            )
        }
    }

    func secretFiles() -> [Diagnosis] {
        [
            (configuration.secretKeyFile, "the key that seals secrets"),
            (configuration.adminKeyFile, "the first API key"),
        ]
        .compactMap { path, what in
            guard let mode = mode(of: path) else { return nil }
            guard mode & 0o077 != 0 else {
                return Diagnosis("secrets", .well, "\(path) can be read by its owner alone")
            }
            return Diagnosis(
                "secrets",
                .damaged,
                "\(path), \(what), can be read by others (mode \(String(mode, radix: 8)))",
                remedy:
                    "chmod 600 \(path), and take it as known: make a new one if others use this machine."
            )
        }
    }

    /// A clock that is wrong by years makes everything due, or nothing.
    func clockSanity() -> [Diagnosis] {
        let now = clock.now()
        if now < .seconds(1_735_689_600) {
            return [
                Diagnosis(
                    "clock",
                    .damaged,
                    "the machine's clock is before 2025",
                    remedy: "Set the clock; use NTP."
                )
            ]
        }
        let newest = newestChange()
        if let newest, newest > now + .minutes(5) {
            return [
                Diagnosis(
                    "clock",
                    .warning,
                    "files in \(folder) were changed in the future, by this machine's clock",
                    remedy:
                        "The clock may have been set back: compare it with NTP before you start the server."
                )
            ]
        }
        return [Diagnosis("clock", .well, "it is later than everything in the folder")]
    }

    private func newestChange() -> Timestamp? {
        // Whatever cannot be listed is told by the stores' own checks.
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        return names.prefix(10_000).compactMap { name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            return (attributes?[.modificationDate] as? Date).map {
                Timestamp(milliseconds: Int64($0.timeIntervalSince1970 * 1000))
            }
        }.max()
    }

    func diskRoom() -> [Diagnosis] {
        var info = statvfs()
        guard statvfs(folder, &info) == 0 else { return [] }
        let free = UInt64(info.f_bavail) * UInt64(info.f_frsize)
        guard free < 1 << 30 else {
            return [Diagnosis("disk", .well, "\(free >> 30) GiB are free")]
        }
        return [
            Diagnosis(
                "disk",
                .warning,
                "only \(free >> 20) MiB are free",
                remedy:
                    "Make room: when none is left, new pushes are refused (507) while due ones go on."
            )
        ]
    }

    /// The access bits; `nil` where there is no such file.
    private func mode(of path: String) -> Int? {
        var info = stat()
        return stat(path, &info) == 0 ? Int(info.st_mode) & 0o777 : nil
    }
}
