package import BelfryCore

/// Turns the files that an account's messages name into media ids that are good when the message goes.
package struct MediaLibrary: Sendable {
    private let client: WeChatClient
    private let files: any MediaFiles
    private let cache: any MediaCache
    private let clock: any WallClock

    package init(
        client: WeChatClient,
        files: any MediaFiles,
        cache: any MediaCache,
        clock: any WallClock
    ) {
        self.client = client
        self.files = files
        self.cache = cache
        self.clock = clock
    }

    /// Why a file could not be made ready.
    package enum Failure: Error, Sendable, Hashable {
        /// The file is missing or not one that WeChat takes.
        case file(InvalidMessage)
        case upload(WeChatFailure)
    }

    /// An id for a file, from the cache or by uploading it: renewed after 60 hours, or if it would end before `due`.
    ///
    /// A message that is due more than three days ahead can only be made ready nearer to its time; whoever sends
    /// calls this at the moment of sending.
    package func mediaID(for reference: MediaReference, due: Timestamp? = nil)
        async throws(Failure) -> String
    {
        let (file, key) = try await load(reference)
        let now = clock.now()
        // A cache that cannot be read costs one upload; nothing else hangs on it.
        if let known = try? await cache.find(key), known.isFresh(now: now, due: due ?? now) {
            return known.id
        }
        return try await upload(file, key)
    }

    /// Uploads a file again whose id WeChat did not know (40007), unless somebody else has done so meanwhile.
    package func renew(_ mediaID: String, for reference: MediaReference)
        async throws(Failure) -> String
    {
        let (file, key) = try await load(reference)
        // As above: an upload too many is the worst that can follow.
        try? await cache.forget(mediaID, for: key)
        if let known = try? await cache.find(key), known.id != mediaID,
            known.isFresh(now: clock.now(), due: clock.now())
        {
            return known.id
        }
        return try await upload(file, key)
    }

    private func load(_ reference: MediaReference) async throws(Failure) -> (MediaFile, MediaKey) {
        do {
            let file = try await files.load(reference)
            try file.validate()
            let key = MediaKey(appID: client.appID, kind: file.kind, hash: file.hash)
            return (file, key)
        } catch {
            throw .file(error)
        }
    }

    private func upload(_ file: MediaFile, _ key: MediaKey) async throws(Failure) -> String {
        let media: UploadedMedia
        do { media = try await client.upload(file) } catch { throw .upload(error) }
        // The message goes with this id whether or not it is remembered.
        try? await cache.store(media, for: key)
        return media.id
    }
}
