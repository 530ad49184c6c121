/// Remembers what was uploaded, so that a restart does not upload everything again.
///
/// A cache that fails costs an upload and nothing else.
package protocol MediaCache: Sendable {
    func find(_ key: MediaKey) async throws -> UploadedMedia?
    /// Replaces what stood there.
    func store(_ media: UploadedMedia, for key: MediaKey) async throws
    /// Forgets an upload, only if it is still this one.
    func forget(_ mediaID: String, for key: MediaKey) async throws
}

/// What an upload is known by: the account's appid, the kind and the content. Media ids mean nothing to another account.
package struct MediaKey: Sendable, Hashable {
    package var appID: String
    package var kind: MediaKind
    /// SHA-256 of the content, 32 bytes.
    package var hash: [UInt8]

    package init(appID: String, kind: MediaKind, hash: [UInt8]) {
        self.appID = appID
        self.kind = kind
        self.hash = hash
    }
}

/// Where the files are that messages name.
package protocol MediaFiles: Sendable {
    /// - Throws: ``InvalidMessage`` where there is no such file.
    func load(_ reference: MediaReference) async throws(InvalidMessage) -> MediaFile
}
