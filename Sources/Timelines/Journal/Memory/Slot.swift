/// What memory keeps of every pending push, however far away and however large: 32 bytes.
///
/// The payload lies in the memory of the near window (``isNear``), in the journal (``isDrafted``) or in a run, where `ordinal` is its number.
struct Slot: SlabElement {
    static let empty = Slot()
    /// No run has the number 0.
    static let nowhere: UInt32 = 0
    /// No run has this number, either.
    static let drafted = UInt32.max

    var high: UInt64 = 0
    var due: Int64 = 0
    var lowest: UInt32 = 0
    /// The account's number in the lower 24 bits; above them, flags.
    var accountAndFlags: UInt32 = 0
    var run: UInt32 = 0
    var ordinal: UInt32 = 0

    @inline(__always)
    var isNear: Bool { run == Slot.nowhere }
    /// It waits in the journal: see ``Drafts``.
    @inline(__always)
    var isDrafted: Bool { run == Slot.drafted }

    var account: Int { Int(accountAndFlags & 0xff_ffff) }

    /// The push heads a merge group.
    var merges: Bool {
        get { accountAndFlags & 1 << 24 != 0 }
        set {
            accountAndFlags = newValue ? accountAndFlags | 1 << 24 : accountAndFlags & ~(1 << 24)
        }
    }

    /// In use. A free slot has it clear, so that a scan of all slots can tell.
    var isPending: Bool { accountAndFlags & 1 << 25 != 0 }
    static let pending: UInt32 = 1 << 25

    var nextFree: UInt32 {
        get { ordinal }
        set { ordinal = newValue }
    }

    @inline(__always)
    func matches(_ hash: PushHash) -> Bool { high == hash.high && lowest == hash.lowest }
}
