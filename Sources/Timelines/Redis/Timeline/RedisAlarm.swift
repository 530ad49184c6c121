package import BelfryCore

/// Says when a look at the shards is worth while. Whatever it says, the timeline decides.
package struct RedisAlarm: Alarm {
    let kind: AlarmKind
    let tick: Duration
    let book: ShardBook
    let clock: any WallClock

    package func wait(nextDue: Timestamp?) async throws(CancellationError) {
        switch kind {
        case .hints: await sleep(until: nextDue)
        case .polling: try await PollingAlarm(tick: tick, clock: clock).wait(nextDue: nextDue)
        case .keyspace:
            // What is over already will not end again.
            if let nextDue, let now = book.now, nextDue <= now { break }
            await book.board.wait(until: nextDue)
        }
        if Task.isCancelled { throw CancellationError() }
    }

    /// By the server's clock, or until something earlier was put, by this process or, as far as hints arrive, by another.
    private func sleep(until nextDue: Timestamp?) async {
        let board = book.board
        guard let nextDue else { return await board.wait(until: nil) }
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
    }
}
