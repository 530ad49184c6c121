package import BelfryCore

/// The embedded engine's own alarm: exact, because the lanes say at every change when they are next worth a look. Sleeps otherwise; nothing polls.
package struct JournalAlarm: Alarm {
    let board: AlarmBoard
    let clock: any WallClock
    let lanes: LaneSet
    let lookAhead: Duration

    package func wait(nextDue: Timestamp?) async throws(CancellationError) {
        guard let nextDue else {
            await board.wait(until: nil)
            if Task.isCancelled { throw CancellationError() }
            return
        }
        let board = board
        await withTaskGroup { group in
            group.addTask {
                // Cancelled when the other is first: that is how it ends, and no failure.
                do throws(CancellationError) { try await sleep(until: nextDue) } catch {}
            }
            group.addTask { await board.wait(until: nextDue) }
            await group.next()
            group.cancelAll()
        }
        if Task.isCancelled { throw CancellationError() }
    }

    /// On the way the lanes that will have something due are told to read it.
    private func sleep(until nextDue: Timestamp) async throws(CancellationError) {
        let early = nextDue - lookAhead
        if early > clock.now() {
            try await clock.sleep(until: early)
            for lane in board.lanes(dueBy: nextDue + lookAhead) { lanes.tell(lane, .lookAhead) }
        }
        try await clock.sleep(until: nextDue)
    }
}
