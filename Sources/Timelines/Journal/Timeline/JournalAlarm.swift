package import BelfryCore

/// The embedded engine's own alarm: exact, because the lane says at every change when it is next worth a look. Sleeps otherwise; nothing polls.
package struct JournalAlarm: Alarm {
    let board: AlarmBoard
    let clock: any WallClock

    package func wait(nextDue: Timestamp?) async throws(CancellationError) {
        guard let nextDue else {
            await board.wait(until: nil)
            if Task.isCancelled { throw CancellationError() }
            return
        }
        let board = board
        let clock = clock
        await withTaskGroup { group in
            group.addTask {
                // Cancelled when the other is first: that is how it ends, and no failure.
                do throws(CancellationError) { try await clock.sleep(until: nextDue) } catch {}
            }
            group.addTask { await board.wait(until: nextDue) }
            await group.next()
            group.cancelAll()
        }
        if Task.isCancelled { throw CancellationError() }
    }
}
