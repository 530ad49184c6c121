import GRDB

/// Runs a group of writes as one transaction on the writer's connection.
struct GroupCommit {
    let database: Database
    /// Called after each commit, before anybody is told of it.
    let committed: () -> Void

    func run(_ group: [WaitingWrite]) {
        if let answers = together(group) {
            for answer in answers { answer() }
            return
        }
        // The shared transaction was lost (disk full, an I/O error): alone, each write gets the answer that is its own, and what
        // still fits is written.
        for write in group {
            do throws(RecordsError) {
                try alone(write)()
            } catch { write.fail(error) }
        }
    }

    /// `nil` if the transaction as a whole failed; nothing is written then, and nobody was told.
    private func together(_ group: [WaitingWrite]) -> [@Sendable () -> Void]? {
        guard group.count > 1 else { return nil }
        let session = SQLiteSession(database: database)
        var answers: [@Sendable () -> Void] = []
        do throws(RecordsError) {
            try session.run("BEGIN IMMEDIATE", [])
            for write in group {
                try session.run("SAVEPOINT one", [])
                do throws(RecordsError) {
                    answers.append(try write.run(session))
                } catch {
                    guard database.isInsideTransaction else { throw error }
                    try session.run("ROLLBACK TO one", [])
                    answers.append { [fail = write.fail] in fail(error) }
                }
                try session.run("RELEASE one", [])
            }
            try session.run("COMMIT", [])
            committed()
            return answers
        } catch {
            rollback()
            return nil
        }
    }

    private func alone(_ write: WaitingWrite) throws(RecordsError) -> @Sendable () -> Void {
        let session = SQLiteSession(database: database)
        do throws(RecordsError) {
            try session.run("BEGIN IMMEDIATE", [])
            let answer = try write.run(session)
            try session.run("COMMIT", [])
            committed()
            return answer
        } catch {
            rollback()
            throw error
        }
    }

    private func rollback() {
        guard database.isInsideTransaction else { return }
        // SQLite cannot refuse a rollback of an open transaction except by having done it already.
        try? database.execute(sql: "ROLLBACK")
    }
}
