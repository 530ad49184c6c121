import BelfryCore

/// What an `Idempotency-Key` means for a request that carries it.
package enum IdempotencyAnswer: Sendable, Hashable {
    /// First seen: do the work, then `finish`.
    case begin
    /// Done before: answer the same again.
    case replay(status: Int, body: [UInt8])
    /// The key was used for another request: refuse (422).
    case mismatch
    /// The first request is still being worked on: refuse (409).
    case inProgress
}

extension Records {
    package var idempotency: IdempotencyRecords { IdempotencyRecords(records: self) }
}

/// Answers kept so that a request repeated with the same `Idempotency-Key` does nothing twice.
package struct IdempotencyRecords: Sendable {
    /// How long a key is remembered.
    package static let life = Duration.hours(24)
    /// After this a request without an answer is taken to have died with its server.
    package static let patience = Duration.minutes(1)

    let records: Records

    /// - Parameters:
    ///   - key: with whatever separates clients in front; at most 512 bytes.
    ///   - fingerprint: a hash of method, path and body.
    package func begin(_ key: String, fingerprint: [UInt8])
        async throws(RecordsError) -> IdempotencyAnswer
    {
        try check(key, "Idempotency-Key", 1...TextLimits.dedupeKey)
        guard fingerprint.count <= 64 else {
            throw RecordsError(.invalid, "fingerprint: is \(fingerprint.count) bytes")
        }
        let now = records.clock.now()
        return try await records.database.write { session throws(RecordsError) in
            let known = try session.row(
                "SELECT fingerprint, begun, status, body FROM idempotency WHERE dedupe_key = ?",
                [.text(key)]
            )
            if let known, known.time(1) > now - Self.life {
                guard known.blob(0) == fingerprint else { return .mismatch }
                if let status = known.optionalInteger(2) {
                    return .replay(status: status, body: known.blob(3))
                }
                if known.time(1) > now - Self.patience { return .inProgress }
            }
            try session.run(
                """
                INSERT INTO idempotency (dedupe_key, fingerprint, begun) VALUES (?, ?, ?)
                ON CONFLICT (dedupe_key) DO UPDATE SET fingerprint = excluded.fingerprint,
                    begun = excluded.begun, status = NULL, body = NULL
                """,
                [.text(key), .blob(fingerprint), .time(now)]
            )
            return .begin
        }
    }

    /// Keeps the answer. An answer too large to keep is an answer that cannot be repeated: the key is forgotten.
    package func finish(_ key: String, status: Int, body: [UInt8]) async throws(RecordsError) {
        guard body.count <= TextLimits.answer else { return try await forget(key) }
        try await records.database.write { session throws(RecordsError) in
            _ = try session.run(
                "UPDATE idempotency SET status = ?, body = ? WHERE dedupe_key = ?",
                [.integer(status), .blob(body), .text(key)]
            )
        }
    }

    /// The request failed before it did anything: it may be tried again at once.
    package func forget(_ key: String) async throws(RecordsError) {
        try await records.database.write { session throws(RecordsError) in
            _ = try session.run("DELETE FROM idempotency WHERE dedupe_key = ?", [.text(key)])
        }
    }
}
