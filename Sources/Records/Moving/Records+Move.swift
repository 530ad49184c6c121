import BelfryCore
package import BelfryPostgresClient

extension Records {
    /// Where records can be moved to.
    package enum Place: Sendable {
        case file(String)
        case postgres(PostgresAddress, schema: String)

        /// As people are told, without a password.
        package var name: String {
            switch self {
            case .file(let path): path
            case .postgres(let address, let schema): "\(address) (schema \(schema))"
            }
        }

        func open() throws(RecordsError) -> any SQLDatabase {
            switch self {
            case .file(let path): try SQLiteDatabase(path: path)
            case .postgres(let address, let schema):
                try PostgresDatabase(address, schema: schema)
            }
        }
    }

    /// Moves everything to another place while these records are used; when it returns they lie there.
    ///
    /// - Parameters:
    ///   - here: as the other place's mark will name this one.
    ///   - mayFinish: asked while writes are held; what it throws ends the move.
    ///   - reached: told of each step.
    /// - Throws: `RecordsError`: the old records stay in force, and nothing of the move is left but what it has written to the other place, which the next
    ///   move clears.
    package func move(
        to place: Place,
        from here: String,
        mayFinish: @Sendable () async throws -> Void = {},
        reached: @Sendable (RecordsMove.Step) async throws -> Void = { _ in }
    ) async throws -> RecordsMove.Report {
        let source = movable.current
        let target = try place.open()
        var move = RecordsMove(
            from: source,
            to: target,
            places: (here, place.name),
            clock: clock
        )
        do {
            try await move.prepare(reached)
            let began = clock.steadyMilliseconds()
            await movable.hold()
            try await mayFinish()
            try await reached(.held)
            try await move.finish(reached)
            movable.release(to: target)
            var report = move.report
            report.held = .milliseconds(clock.steadyMilliseconds() - began)
            await retire(source)
            try await reached(.left)
            return report
        } catch {
            try await giveUp(source, target, after: error)
            return move.report
        }
    }

    /// The old place stays as it was at the switch.
    private func retire(_ source: any SQLDatabase) async {
        // What noted changes does no harm where it stays.
        try? await source.abandonMove()
        await source.close()
    }

    /// Puts the old records right again after a move has failed, unless it turns out that the switch was made.
    private func giveUp(
        _ source: any SQLDatabase,
        _ target: any SQLDatabase,
        after error: any Error
    ) async throws {
        guard movable.current === source else { throw error }
        let marks: [MoveMark: String]
        do throws(RecordsError) {
            marks = try await source.read { session throws(RecordsError) in
                try MoveMark.all(session)
            }
        } catch {
            // Whether the switch was made cannot be known now: the next start sees it. Until then nothing may be written to either.
            await source.close()
            movable.release()
            await target.close()
            throw error
        }
        guard marks[.left] == nil else {
            movable.release(to: target)
            return await retire(source)
        }
        do throws(RecordsError) { try await source.abandonMove() } catch {
            // The next start, or the next move, does it.
        }
        movable.release()
        await target.close()
        throw error
    }

    /// Whether records lie where several servers can use them.
    package var isShared: Bool { movable.current is PostgresDatabase }

    /// Puts records in force again that were left by a move, or filled by one that was cut off. No server may be using them.
    package static func reopen(_ place: Place) async throws(RecordsError) {
        let database = try place.open()
        do throws(RecordsError) {
            try await database.migrate(Schema.migrations)
            try await database.reopenMoved()
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    /// Whether the records of a file are somebody's: not where a move has left them, nor where a move to them was cut off, however early.
    package static func areInUse(inFile path: String) async throws(RecordsError) -> Bool {
        let database = try SQLiteDatabase(path: path)
        do throws(RecordsError) {
            try await database.migrate(Schema.migrations)
            let isInUse = try await database.isInUse()
            await database.close()
            return isInUse
        } catch {
            await database.close()
            throw error
        }
    }
}
