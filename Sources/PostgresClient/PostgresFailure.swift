/// Why a call to a PostgreSQL server failed: what the server said, or what became of the connection.
package struct PostgresFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller decides by.
    package enum Code: Sendable, Hashable {
        /// There is no connection, and nothing was sent.
        case notConnected
        /// The connection broke, or gave no answer in time, after something was sent: it may have been done.
        case noAnswer
        /// The server said no; its SQLSTATE (appendix A of PostgreSQL's manual). The transaction was not committed.
        case refused(String)
        /// The pool was closed.
        case closed
        /// The address or a setting is wrong.
        case invalid
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    /// The first two characters of the SQLSTATE; empty where the server said nothing.
    package var stateClass: String {
        guard case .refused(let state) = code else { return "" }
        return String(state.prefix(2))
    }

    /// Whether it is certain that nothing was done, and that doing it again can help: no connection, a deadlock or a serialization that somebody else
    /// won, or a server that is starting or stopping.
    package var isWorthRepeating: Bool {
        switch code {
        case .notConnected: true
        case .refused(let state):
            ["40001", "40P01", "57P01", "57P02", "57P03"].contains(state)
        case .noAnswer, .closed, .invalid: false
        }
    }
}
