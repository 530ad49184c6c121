package import BelfryCore

/// Says when a look at the shards is worth while. Whatever it says, the timeline decides.
package struct RedisAlarm: Alarm {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A timer of this process's own until the next push is due, and a word of whoever puts something earlier. Asks the server nothing while nothing is due.
        case hints
        /// A look at every tick, whatever is due.
        case polling
        /// The server tells when the key of a shard has ended. A server looks for ended keys ten times a second and in samples: late by a tenth of a second as a rule.
        case keyspace
    }

    let kind: Kind
    let tick: Duration
    let book: ShardBook
    let clock: any WallClock

    package func wait(nextDue: Timestamp?) async throws(CancellationError) {
        switch kind {
        case .hints: await sleep(until: nextDue)
        case .polling: try await clock.sleep(for: tick)
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
