import BelfryCore
import BelfryJournal
import CBelfryBench

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

extension Benchmark {
    static let reopenMillion = reopening("reopen.1m", pushes: 1_000_000)
    static let reopenTenMillion = reopening("reopen.10m", pushes: 10_000_000)

    /// From the call until the timeline answers: what a restart costs.
    private static func reopening(_ name: String, pushes usual: Int) -> Benchmark {
        Benchmark(
            name,
            "Seconds to open a folder with \(usual / 1_000_000) million pending, against reading its files"
        ) { setting in
            let pushes = setting.count(usual, least: 1000)
            let folder = setting.folder + "/journal"
            let first = try await JournalTimeline.open(
                measured: folder,
                lanes: setting.lanes
            )
            try await ScheduleLoad.fill(first, 0..<pushes)
            await first.close()
            let clock = ContinuousClock()
            let start = clock.now
            let second = try await JournalTimeline.open(
                measured: folder,
                lanes: setting.lanes
            )
            let pending = try await second.counts().scheduled
            let took = start.duration(to: clock.now)
            await second.close()
            guard pending == pushes else {
                throw LoadFailure("\(pending) of \(pushes) pushes were there again")
            }
            let raw = try clock.measure { try Folder.read(folder) }
            return [
                Measurement(name, took / .seconds(1), "s", reference: raw / .seconds(1))
            ]
        }
    }
}

/// What a folder holds on disk.
enum Folder {
    /// Reads every file to its end, as `cat` would.
    static func read(_ folder: String) throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        for path in try files(in: folder) {
            let file = open(path, O_RDONLY)
            guard file >= 0 else { throw RawDiskFailure(call: "open", code: errno) }
            defer { close(file) }
            var count = 1
            while count > 0 { count = readBytes(of: file, into: &buffer) }
            guard count == 0 else { throw RawDiskFailure(call: "read", code: errno) }
        }
    }

    /// Bytes that the files take on disk: with what is set aside, without what is punched out.
    static func bytes(in folder: String) throws -> Int {
        // A file that a checkpoint removes meanwhile takes nothing.
        try files(in: folder).reduce(0) { $0 + Int(belfry_disk_bytes($1)) }
    }

    private static func files(in folder: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
            .filter { belfry_is_file($0) != 0 }
    }
}
