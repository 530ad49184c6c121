/// A part of a file that a repair could not keep.
package struct DroppedPiece: Sendable {
    package var file: String
    /// In bytes from the start of the file.
    package var offset: Int
    /// More than ``bytes`` has where the file does not reach so far.
    package var length: Int
    package var reason: String
    /// As they lay there.
    package var bytes: [UInt8]

    package init(file: String, offset: Int, length: Int, reason: String, bytes: [UInt8]) {
        self.file = file
        self.offset = offset
        self.length = length
        self.reason = reason
        self.bytes = bytes
    }

    /// A longer piece is told in several of at most this length.
    static let most = 1 << 20
}

/// Where a file is not what it should be.
struct LostRange: Equatable {
    var range: Range<Int>
    var reason: String
}
