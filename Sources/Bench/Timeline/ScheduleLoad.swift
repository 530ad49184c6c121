package import BelfryCore
import BelfryJournal

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Scheduling on the embedded timeline, and the raw limit of it.
package enum ScheduleLoad {
    /// What peers are held against: pushes a second into a fresh embedded timeline.
    ///
    /// - Parameter batches: of 1,000 pushes each.
    package static func rate(batches count: Int, folder: String) async throws -> Double {
        let batches = try BenchPushes.batches(count)
        let seconds = try await journal(batches, folder: folder)
        return Double(count * BenchPushes.batch) / seconds
    }

    /// - Returns: seconds that a fresh timeline takes.
    static func journal(_ batches: [PushBatch], folder: String, lanes: Int? = nil) async throws
        -> Double
    {
        let timeline = try await JournalTimeline.open(
            measured: folder + "/journal",
            lanes: lanes
        )
        let took = try await schedule(batches, on: timeline)
        await timeline.close()
        return took
    }

    /// - Returns: seconds.
    static func schedule(_ batches: [PushBatch], on timeline: JournalTimeline) async throws
        -> Double
    {
        let clock = ContinuousClock()
        let start = clock.now
        try await Callers.run { caller in
            for number in stride(from: caller, to: batches.count, by: BenchPushes.callers) {
                try accepted(await timeline.schedule(batches[number]))
            }
        }
        return start.duration(to: clock.now) / .seconds(1)
    }

    /// Schedules the pushes with these numbers, made as they are needed: nothing but the timeline keeps them.
    package static func fill(_ timeline: some Timeline, _ serials: Range<Int>) async throws {
        let now = SystemClock().now()
        let step = BenchPushes.batch
        try await Callers.run { caller in
            for start in stride(
                from: serials.lowerBound + caller * step,
                to: serials.upperBound,
                by: BenchPushes.callers * step
            ) {
                let end = min(start + step, serials.upperBound)
                let batch = try BenchPushes.packed(start..<end, from: now)
                try accepted(await timeline.schedule(batch))
            }
        }
    }

    private static func accepted(_ outcomes: [ScheduleOutcome]) throws {
        guard outcomes.allSatisfy({ $0 == .accepted }) else {
            throw LoadFailure("a push was not accepted as a new one")
        }
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

/// Several callers at the same time, as in any server.
package enum Callers {
    /// - Parameter work: gets the number of its caller, from 0 on.
    package static func run(_ work: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup { group in
            for caller in 0..<BenchPushes.callers { group.addTask { try await work(caller) } }
            try await group.waitForAll()
        }
    }
}

/// A system call of the raw reference that failed.
struct RawDiskFailure: Error {
    var call: String
    var code: Int32
}
