import BelfryCore
import BelfryRecords
import BelfryWeChat

/// What was uploaded to WeChat, remembered in the records.
struct StoredMedia: MediaCache {
    let records: Records

    func find(_ key: MediaKey) async throws -> UploadedMedia? {
        let found = try await records.media.find(
            appID: key.appID,
            hash: key.hash,
            kind: key.kind.rawValue
        )
        return found.map { UploadedMedia(id: $0.mediaID, created: $0.created) }
    }

    func store(_ media: UploadedMedia, for key: MediaKey) async throws {
        try await records.media.save(
            MediaRecord(
                appID: key.appID,
                hash: key.hash,
                kind: key.kind.rawValue,
                mediaID: media.id,
                created: media.created
            )
        )
    }

    func forget(_ mediaID: String, for key: MediaKey) async throws {
        guard try await find(key)?.id == mediaID else { return }
        try await records.media.forget(
            appID: key.appID,
            hash: key.hash,
            kind: key.kind.rawValue
        )
    }
}
