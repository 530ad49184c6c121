package import BelfryCore
import Synchronization

extension Records {
    package var erasures: ErasureRecords { ErasureRecords(records: self) }
}

/// Who was erased and when, as marks that name nobody. The timeline cannot be asked for the pushes of a person; so they are stopped when
/// they are due, by these.
package struct ErasureRecords: Sendable {
    let records: Records

    /// How long a mark is kept: until nothing that was accepted before the erasure can be pending. The year is for pushes that were
    /// held after they were due.
    package static let life = PushLimits.horizon + .days(366)

    /// Whether a push accepted at that time may be covered by an erasure at all. Known without reading: most are newer than the newest one.
    package func mayCover(_ accepted: Timestamp) -> Bool {
        accepted <= records.newestErasure.withLock { $0 }
    }

    /// Which pushes were accepted before their recipient was erased, or at the same moment.
    ///
    /// - Returns: one answer for each, in order.
    package func cover(_ pushes: [(recipient: Recipient, accepted: Timestamp)])
        async throws(RecordsError) -> [Bool]
    {
        let asked = Set(pushes.filter { mayCover($0.accepted) }.map(\.recipient))
        guard !asked.isEmpty else { return pushes.map { _ in false } }
        let marks = Dictionary(
            asked.map { (records.seal.mark($0), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let rows = try await records.database.read { session throws(RecordsError) in
            try Self.byMark.rows(session, [], marks.keys.map { .blob($0) })
        }
        var erased: [Recipient: Timestamp] = [:]
        for row in rows { if let person = marks[row.blob(0)] { erased[person] = row.time(1) } }
        return pushes.map { push in erased[push.recipient].map { push.accepted <= $0 } ?? false }
    }

    private static let byMark = ManyKeys("SELECT mark, at FROM erasures WHERE mark")

    /// Marks an erasure, in the transaction that deletes.
    static func mark(_ mark: [UInt8], at time: Timestamp, _ session: any SQLSession)
        throws(RecordsError)
    {
        try session.run(
            """
            INSERT INTO erasures (mark, at) VALUES (?, ?)
            ON CONFLICT (mark) DO UPDATE SET at = excluded.at WHERE erasures.at < excluded.at
            """,
            [.blob(mark), .time(time)]
        )
    }

    static func newest(_ database: any SQLDatabase) async throws(RecordsError) -> Timestamp {
        try await database.read { session throws(RecordsError) in
            try session.row("SELECT max(at) FROM erasures", [])?.optionalTime(0) ?? .distantPast
        }
    }
}
