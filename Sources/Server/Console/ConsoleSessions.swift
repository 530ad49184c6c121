import BelfryCore
import Synchronization

/// Who is signed in to the console. Kept in memory: a restart signs everybody out.
package final class ConsoleSessions: Sendable {
    static let cookieName = "belfry_session"
    static let lifetime = Duration.hours(12)
    /// A bound on memory; the session that ends soonest gives way.
    static let sessionsMax = 1000

    private struct Session {
        var principal: Principal
        var ends: Timestamp
    }

    private let sessions = Mutex<[String: Session]>([:])

    package init() {}

    /// Opens a session; the token for its cookie, 256 random bits.
    func open(_ principal: Principal, at now: Timestamp) -> String {
        var generator = SystemRandomNumberGenerator()
        let token = (0..<4).map { _ in
            let part = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
            return String(repeating: "0", count: 16 - part.count) + part
        }.joined()
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.ends > now }
            if sessions.count >= Self.sessionsMax,
                let first = sessions.min(by: { $0.value.ends < $1.value.ends })
            {
                sessions[first.key] = nil
            }
            sessions[token] = Session(principal: principal, ends: now + Self.lifetime)
        }
        return token
    }

    func find(_ token: String, at now: Timestamp) -> Principal? {
        sessions.withLock { sessions in
            guard let session = sessions[token], session.ends > now else { return nil }
            return session.principal
        }
    }

    func close(_ token: String) { sessions.withLock { $0[token] = nil } }

    /// Ends every session of a key that was revoked.
    func closeAll(of key: String) {
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.principal.id != key }
        }
    }
}
