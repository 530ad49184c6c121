/// A session that can begin and end transactions: what a group commit needs.
protocol TransactionSession: SQLSession {
    /// Begins a transaction in which nobody else writes.
    func begin() throws(RecordsError)
    /// Durable when it returns.
    func commit() throws(RecordsError)
    /// Undoes what was begun, if anything.
    func rollBack()
    var isInTransaction: Bool { get }
}

/// Runs a group of writes as one transaction on the writer's connection.
struct GroupCommit<Session: TransactionSession> {
    let session: Session
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
        var answers: [@Sendable () -> Void] = []
        do throws(RecordsError) {
            try session.begin()
            for write in group {
                try session.run("SAVEPOINT one", [])
                do throws(RecordsError) {
                    answers.append(try write.run(session))
                } catch {
                    guard session.isInTransaction else { throw error }
                    try session.run("ROLLBACK TO one", [])
                    answers.append { [fail = write.fail] in fail(error) }
                }
                try session.run("RELEASE one", [])
            }
            try session.commit()
            committed()
            return answers
        } catch {
            session.rollBack()
            return nil
        }
    }

    private func alone(_ write: WaitingWrite) throws(RecordsError) -> @Sendable () -> Void {
        do throws(RecordsError) {
            try session.begin()
            let answer = try write.run(session)
            try session.commit()
            committed()
            return answer
        } catch {
            session.rollBack()
            throw error
        }
    }
}
