import BelfryCore
import BelfryJournal

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Benchmark {
    /// A million pushes of 120 bytes into the embedded timeline, against the same bytes written and synced raw.
    static let scheduleDurable = Benchmark(
        "schedule.durable",
        "Pushes scheduled durably, in process, batches of 1,000, against raw write + fdatasync"
    ) { setting in
        let batches = try ScheduleLoad.batches(setting.count(1000, least: 20))
        let pushes = Double(batches.reduce(0) { $0 + $1.count })
        // The first pass over a fresh folder also pays for the memory of the process: let it not be the raw one's alone.
        _ = try ScheduleLoad.raw(Array(batches.prefix(20)), folder: setting.folder)
        let before = try ScheduleLoad.raw(batches, folder: setting.folder)
        let ours = try await ScheduleLoad.journal(batches, folder: setting.folder)
        let after = try ScheduleLoad.raw(batches, folder: setting.folder)
        return [
            Measurement(
                "schedule.durable",
                pushes / ours,
                "pushes/s",
                reference: pushes / min(before, after)
            )
        ]
    }
}

enum ScheduleLoad {
    static let batchPushes = 1000
    /// Callers that schedule at the same time. More than one, as in any server; each waits for its answer before the next batch.
    static let callers = 4

    /// Packed batches with ids that differ, due within a month.
    static func batches(_ count: Int) throws -> [PushBatch] {
        var random = SplitMix64(seed: 1)
        let now = SystemClock().now()
        let payload = [UInt8](repeating: 0x61, count: 120)
        return try (0..<count).map { batch in
            var packed = PushBatch()
            packed.reserve(bytes: batchPushes * 192)
            for number in 0..<batchPushes {
                let serial = batch * batchPushes + number
                let id = Array("flow/a/\(serial)".utf8)
                let person = Array("o\(serial)".utf8)
                try packed.append(
                    id: id.span,
                    account: [0x61].span,
                    person: person.span,
                    due: now
                        + .milliseconds(Int64.random(in: 3_600_000...2_600_000_000, using: &random)),
                    expires: nil,
                    priority: .normal,
                    channel: [0x6c, 0x6f, 0x67].span,
                    merge: nil,
                    mergeKey: [UInt8]().span,
                    payload: payload.span
                )
            }
            return packed
        }
    }

    /// - Returns: seconds.
    static func journal(_ batches: [PushBatch], folder: String) async throws -> Double {
        let timeline = try await JournalTimeline.open(folder: folder + "/journal")
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup { group in
            for caller in 0..<callers {
                group.addTask {
                    for number in stride(from: caller, to: batches.count, by: callers) {
                        let outcomes = try await timeline.schedule(batches[number])
                        precondition(outcomes.count == batchPushes)
                    }
                }
            }
            try await group.waitForAll()
        }
        let took = start.duration(to: clock.now)
        await timeline.close()
        return took / .seconds(1)
    }

    /// Each batch by one write and one sync, as a journal without anything else would.
    ///
    /// - Returns: seconds.
    static func raw(_ batches: [PushBatch], folder: String) throws -> Double {
        let path = folder + "/raw"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o644)
        guard file >= 0 else { throw RawDiskFailure(call: "open", code: errno) }
        defer {
            close(file)
            unlink(path)
        }
        let clock = ContinuousClock()
        let start = clock.now
        for batch in batches {
            let count = batch.bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            guard count == batch.bytes.count else {
                throw RawDiskFailure(call: "write", code: errno)
            }
            #if os(Linux)
            let status = fdatasync(file)
            #else
            let status = fcntl(file, F_FULLFSYNC)
            #endif
            guard status == 0 else { throw RawDiskFailure(call: "sync", code: errno) }
        }
        return start.duration(to: clock.now) / .seconds(1)
    }
}

/// A system call of the raw reference that failed.
struct RawDiskFailure: Error {
    var call: String
    var code: Int32
}

extension Benchmark {
    /// What concerns the embedded engine alone.
    package static let engine: [Benchmark] = [scheduleDurable]
}
