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

/// The fixed part of an entry, in front of the packed push. When it is due stands with its identity.
struct RunEntry: BitwiseCopyable {
    static let bytes = 24

    /// Of the whole entry.
    var length: UInt32
    /// The attempts in the low 31 bits; the highest bit: it has a merge group, and a ``RunGroup`` follows.
    private var attemptAndGroup: UInt32
    var sequence: UInt64
    var accepted: Int64

    init(length: UInt32, attempt: UInt32, sequence: UInt64, accepted: Int64) {
        self.length = length
        attemptAndGroup = min(attempt, .max >> 1)
        self.sequence = sequence
        self.accepted = accepted
    }

    var attempt: UInt32 { attemptAndGroup & .max >> 1 }

    var hasGroup: Bool {
        get { attemptAndGroup >> 31 == 1 }
        set { attemptAndGroup = attempt | (newValue ? 1 << 31 : 0) }
    }

    var groupBytes: Int { hasGroup ? RunGroup.bytes : 0 }
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
