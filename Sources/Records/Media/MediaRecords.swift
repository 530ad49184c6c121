package import BelfryCore

/// A file that was uploaded to WeChat, by what it holds, so that it is not uploaded for every push.
package struct MediaRecord: Sendable, Hashable {
    package var appID: String
    /// SHA-256 of the file, 32 bytes.
    package var hash: [UInt8]
    /// `image`, `voice`, `video`, `thumb`.
    package var kind: String
    package var mediaID: String
    /// Temporary media expire three days after this.
    package var created: Timestamp

    package init(
        appID: String,
        hash: [UInt8],
        kind: String,
        mediaID: String,
        created: Timestamp
    ) {
        self.appID = appID
        self.hash = hash
        self.kind = kind
        self.mediaID = mediaID
        self.created = created
    }
}

extension Records {
    package var media: MediaRecords { MediaRecords(records: self) }
}

/// What was uploaded to WeChat.
package struct MediaRecords: Sendable {
    let records: Records

    /// Keeps the newest upload of a file.
    package func save(_ media: MediaRecord) async throws(RecordsError) {
        try Self.validate(media)
        try check(media.mediaID, "media_id", 1...TextLimits.sentence)
        try await records.database.write { session throws(RecordsError) in
            _ = try session.run(
                """
                INSERT INTO media (app_id, hash, kind, media_id, created) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (app_id, hash, kind)
                    DO UPDATE SET media_id = excluded.media_id, created = excluded.created
                """,
                [
                    .text(media.appID), .blob(media.hash), .text(media.kind),
                    .text(media.mediaID), .time(media.created),
                ]
            )
        }
    }

    package func find(appID: String, hash: [UInt8], kind: String)
        async throws(RecordsError) -> MediaRecord?
    {
        let row = try await records.database.read { session throws(RecordsError) in
            try session.row(
                """
                SELECT media_id, created FROM media WHERE app_id = ? AND hash = ? AND kind = ?
                """,
                [.text(appID), .blob(hash), .text(kind)]
            )
        }
        return row.map {
            MediaRecord(
                appID: appID,
                hash: hash,
                kind: kind,
                mediaID: $0.text(0),
                created: $0.time(1)
            )
        }
    }

    /// WeChat said that a media id is gone.
    package func forget(appID: String, hash: [UInt8], kind: String) async throws(RecordsError) {
        try await records.database.write { session throws(RecordsError) in
            _ = try session.run(
                "DELETE FROM media WHERE app_id = ? AND hash = ? AND kind = ?",
                [.text(appID), .blob(hash), .text(kind)]
            )
        }
    }

    private static func validate(_ media: MediaRecord) throws(RecordsError) {
        try check(media.appID, "app_id", 1...TextLimits.name)
        try check(media.kind, "kind", 1...TextLimits.name)
        guard media.hash.count == 32 else {
            throw RecordsError(.invalid, "hash: is \(media.hash.count) bytes; 32 are needed")
        }
    }
}
