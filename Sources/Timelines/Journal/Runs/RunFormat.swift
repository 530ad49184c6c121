/// A run: pushes that are not due soon, in one file that is never changed. Sorted by priority band and due time, so that each band can be read
/// from front to back as its time comes.
///
///     file header (``FileFormat``)
///     blocks       entries one after another: ``RunEntry``, a ``RunGroup`` if it has one, the packed push, packed pushes that a merge collected
///     directory    one ``RunBlock`` a block
///     identities   one ``RunIdentity`` an entry, in order: all that recovery needs
///     merges       one ``RunMerge`` for each entry that others may join
///     footer       ``RunFooter``
struct RunFooter: BitwiseCopyable {
    static let bytes = 64

    var directoryOffset: UInt64 = 0
    var identitiesOffset: UInt64 = 0
    var mergesOffset: UInt64 = 0
    var blocks: UInt32 = 0
    var count: UInt32 = 0
    var merges: UInt32 = 0
    var directoryCRC: UInt32 = 0
    var identitiesCRC: UInt32 = 0
    var mergesCRC: UInt32 = 0
    var reserved: UInt64 = 0
    var reserved2: UInt32 = 0
    /// Of the 60 bytes before.
    var crc: UInt32 = 0
}

/// Where one block lies. Entries of different bands are never in one block.
struct RunBlock: BitwiseCopyable {
    static let bytes = 40

    var offset: UInt64
    var firstDue: Int64
    var length: UInt32
    var count: UInt32
    var firstOrdinal: UInt32
    var crc: UInt32
    var band: UInt32
    var reserved: UInt32 = 0
}

/// Who an entry is. 32 bytes.
struct RunIdentity: BitwiseCopyable {
    static let bytes = 32

    var hash: PushHash
    var due: Int64
    var account: UInt32
    var reserved: UInt32 = 0
}

struct RunMerge: BitwiseCopyable {
    static let bytes = 24

    var hash: PushHash
    var ordinal: UInt32
    var reserved: UInt32 = 0
}

/// The fixed part of an entry, in front of the packed push.
struct RunEntry: BitwiseCopyable {
    static let bytes = 40

    /// Of the whole entry.
    var length: UInt32
    var attempt: UInt32
    var sequence: UInt64
    var accepted: Int64
    var due: Int64
    /// 1: it has a merge group, and a ``RunGroup`` follows.
    var flags: UInt32
    var reserved: UInt32 = 0

    var groupBytes: Int { flags & 1 == 1 ? RunGroup.bytes : 0 }
}

/// The merge group of an entry, between its fixed part and the packed push.
struct RunGroup: BitwiseCopyable {
    static let bytes = 24

    var first: Int64
    var last: Int64
    /// Packed pushes that follow the entry's own.
    var collected: UInt32
    var reserved: UInt32 = 0
}
