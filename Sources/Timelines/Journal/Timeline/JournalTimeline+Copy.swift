package import BelfryCore
import Synchronization

extension JournalTimeline {
    /// Writes a copy of everything acknowledged so far into an empty folder, synced, while the timeline goes on.
    ///
    /// Each lane says what its copy holds at its own moment. So that no id is ended in one lane by a newer version that the copy of another lane does
    /// not hold yet, such ends wait until all of them have said it.
    ///
    /// - Throws: `full` or `io` for either folder, `corrupt` where more than some blocks of a run are damaged; what was written then is of no use.
    package func copy(into folder: String) async throws(TimelineError) -> CopyReport {
        let root = try DiskStorage(folder: folder)
        defer { root.release() }
        var targets = [root]
        if let layout {
            targets = try onDisk { () throws(StorageError) in
                var targets: [DiskStorage] = []
                for name in layout.folders {
                    targets.append(try root.subfolder(name, making: true))
                }
                try root.syncFolder()
                return targets
            }
        }
        let begun = Gathering<Void>(lanes.count)
        let written = Gathering<CopyReport>(lanes.count)
        displacing.close()
        lanes.tell(
            targets.enumerated().map { ($0, .copy(to: $1, begun[$0], written[$0])) }
        )
        _ = await begun.all()
        displacing.open()
        var report = CopyReport()
        for (lane, part) in try await written.all().values().enumerated() {
            report.bytes += part.bytes
            report.damaged += named(part.damaged, of: lane)
        }
        if let layout { try onDisk { () throws(StorageError) in try layout.write(to: root) } }
        return report
    }
}

/// Holds the ends of older versions in other lanes back while copies begin.
final class DisplaceGate: Sendable {
    private struct State {
        var closers = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func close() { state.withLock { $0.closers += 1 } }

    func open() {
        let waiting = state.withLock { state in
            state.closers -= 1
            guard state.closers == 0 else { return [] as [CheckedContinuation<Void, Never>] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for one in waiting { one.resume() }
    }

    /// Does something that must not fall into the beginning of a copy.
    func pass(_ body: () -> Void) async {
        while true {
            let hasPassed = state.withLock { state in
                if state.closers == 0 { body() }
                return state.closers == 0
            }
            if hasPassed { return }
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if state.closers > 0 { state.waiting.append(continuation) }
                    return state.closers == 0
                }
                if isOpen { continuation.resume() }
            }
        }
    }
}
