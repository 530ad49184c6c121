package import BelfryCore

/// Sleeps until the next push is due by the server's clock, or until something earlier was put, by this process or, as far as hints arrive, by another. Asks
/// the server nothing.
package struct PostgresAlarm: Alarm {
    let book: PostgresBook
    let clock: any WallClock

    package func wait(nextDue: Timestamp?) async throws(CancellationError) {
        let board = book.board
        if let nextDue {
            let rest = nextDue - (book.now ?? clock.now())
            await withTaskGroup { group in
                group.addTask {
                    // Cancelled when the other is first: that is how it ends, and no failure.
                    do throws(CancellationError) { try await clock.sleep(for: rest) } catch {}
                }
                group.addTask { await board.wait(until: nextDue) }
                await group.next()
                group.cancelAll()
            }
        } else {
            await board.wait(until: nil)
        }
        if Task.isCancelled { throw CancellationError() }
    }
}
