import Crypto

/// The kinds of temporary media, by WeChat's names.
package enum MediaKind: String, Sendable, Hashable, Codable, CaseIterable {
    case image
    case voice
    case video
    /// The small picture of a video, a piece of music or a mini-program card.
    case thumb

    /// The largest file in bytes. An official page says 2 MB for images, the newer one 10 MB.
    package var byteLimit: Int {
        switch self {
        case .image, .video: 10 * 1024 * 1024
        case .voice: 2 * 1024 * 1024
        case .thumb: 64 * 1024
        }
    }

    /// What the file may be.
    package var formats: [MediaFormat] {
        switch self {
        case .image: [.png, .jpeg, .gif, .bmp]
        case .voice: [.mp3, .amr]
        case .video: [.mp4]
        case .thumb: [.jpeg]
        }
    }
}

/// Told by the first bytes of a file, never by its name.
package enum MediaFormat: String, Sendable, Hashable, CaseIterable {
    case png
    case jpeg
    case gif
    case bmp
    case mp3
    case amr
    case mp4

    package init?(_ bytes: [UInt8]) {
        func begins(_ prefix: [UInt8], at offset: Int = 0) -> Bool {
            bytes.dropFirst(offset).starts(with: prefix)
        }
        if begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if begins([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if begins(Array("GIF8".utf8)) {
            self = .gif
        } else if begins(Array("#!AMR".utf8)) {
            self = .amr
        } else if begins(Array("ftyp".utf8), at: 4) {
            self = .mp4
        } else if begins(Array("ID3".utf8))
            || (bytes.count > 1 && bytes[0] == 0xFF && bytes[1] & 0xE6 == 0xE2)
        {
            // The second: a frame of MPEG audio, layer III.
            self = .mp3
        } else if begins(Array("BM".utf8)) {
            self = .bmp
        } else {
            return nil
        }
    }

    package var contentType: String {
        switch self {
        case .png: "image/png"
        case .jpeg: "image/jpeg"
        case .gif: "image/gif"
        case .bmp: "image/bmp"
        case .mp3: "audio/mpeg"
        case .amr: "audio/amr"
        case .mp4: "video/mp4"
        }
    }

    package var fileExtension: String { self == .jpeg ? "jpg" : rawValue }
}

/// A file to be uploaded.
package struct MediaFile: Sendable, Hashable {
    package var kind: MediaKind
    package var bytes: [UInt8]

    package init(kind: MediaKind, bytes: [UInt8]) {
        self.kind = kind
        self.bytes = bytes
    }

    /// SHA-256 of the content, 32 bytes.
    package var hash: [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// - Throws: ``InvalidMessage`` where WeChat would refuse the file.
    @discardableResult
    package func validate() throws(InvalidMessage) -> MediaFormat {
        guard bytes.count <= kind.byteLimit else {
            throw InvalidMessage(
                field: kind.rawValue,
                problem: "the file has \(bytes.count) bytes, allowed are \(kind.byteLimit)"
            )
        }
        guard let format = MediaFormat(bytes), kind.formats.contains(format) else {
            let names = kind.formats.map(\.rawValue).joined(separator: ", ")
            throw InvalidMessage(
                field: kind.rawValue,
                problem: "the file's content is not one of \(names)"
            )
        }
        return format
    }
}
