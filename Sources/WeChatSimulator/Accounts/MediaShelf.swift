/// The kinds of media that the API knows.
package enum MediaKind: String, Sendable, Hashable, CaseIterable {
    case image
    case voice
    case video
    case thumb

    /// In bytes. Official pages of 新增临时素材.
    var limit: Int {
        switch self {
        case .image, .video: 10 << 20
        case .voice: 2 << 20
        case .thumb: 64 << 10
        }
    }

    /// The MIME type of a file of this kind by its first bytes; nil when it is of none of the permitted formats.
    func format(of bytes: [UInt8]) -> String? {
        func starts(_ prefix: [UInt8], at offset: Int = 0) -> Bool {
            bytes.count >= offset + prefix.count
                && bytes[offset..<offset + prefix.count].elementsEqual(prefix)
        }
        switch self {
        case .image:
            if starts([0x89, 0x50, 0x4E, 0x47]) { return "image/png" }
            if starts([0xFF, 0xD8, 0xFF]) { return "image/jpeg" }
            if starts(Array("GIF8".utf8)) { return "image/gif" }
            return starts(Array("BM".utf8)) ? "image/bmp" : nil
        case .thumb: return starts([0xFF, 0xD8, 0xFF]) ? "image/jpeg" : nil
        case .voice:
            if starts(Array("#!AMR".utf8)) { return "audio/amr" }
            if starts(Array("ID3".utf8)) { return "audio/mp3" }
            return bytes.count > 1 && bytes[0] == 0xFF && bytes[1] & 0xE0 == 0xE0
                ? "audio/mp3" : nil
        case .video: return starts(Array("ftyp".utf8), at: 4) ? "video/mp4" : nil
        }
    }
}

/// The media of one account.
struct MediaShelf: Sendable {
    struct Item: Sendable, Hashable {
        var kind: MediaKind
        var format: String
        /// Empty when it had to make room.
        var bytes: [UInt8]
        /// Milliseconds since 1970; nil for permanent material.
        var expiresAt: Int64?
    }

    /// How long temporary media live.
    static let lifetime: Int64 = 3 * 86_400_000
    /// How many bytes are kept; beyond it the oldest files lose their bytes, but their ids stay valid.
    static let capacity = 128 << 20

    private var items: [String: Item] = [:]
    /// In the order of upload, which for temporary media is that of their end.
    private var order: [String] = []
    private var withBytes: [String] = []
    private var stored = 0

    mutating func add(_ item: Item, id: String, at now: Int64) {
        items[id] = item
        stored += item.bytes.count
        withBytes.append(id)
        while stored > Self.capacity, withBytes.count > 1 {
            let oldest = withBytes.removeFirst()
            stored -= items[oldest]?.bytes.count ?? 0
            items[oldest]?.bytes = []
        }
        if item.expiresAt != nil { order.append(id) }
        dropExpired(at: now)
    }

    func item(_ id: String, at now: Int64) -> Item? {
        guard let item = items[id], item.expiresAt.map({ now < $0 }) ?? true else { return nil }
        return item
    }

    private mutating func dropExpired(at now: Int64) {
        let expired = order.prefix { id in items[id]?.expiresAt.map { $0 <= now } ?? true }
        for id in expired {
            stored -= items[id]?.bytes.count ?? 0
            items[id] = nil
        }
        order.removeFirst(expired.count)
        if !expired.isEmpty { withBytes.removeAll { items[$0] == nil } }
    }
}
