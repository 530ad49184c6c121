import BelfryCore

/// The end of a journal segment that was no whole record and was cut off at an opening: mostly a write that was cut short before anybody was
/// told of it.
package struct DroppedTail: Sendable, Hashable {
    /// The segment.
    package var file: String
    /// Where it ends now.
    package var offset: Int
    /// How much was cut off.
    package var bytes: Int
    /// The file beside the segment that keeps what was cut off, or the first ``DroppedTail/keptBytes`` of it; `nil` where it could not be written, and
    /// where there were only zeros.
    package var keptAs: String?

    /// At most so much of a tail is kept.
    package static let keptBytes = 16 << 20
    /// At most so many tails; the oldest go first.
    package static let keptFiles = 8

    private static let prefix = "dropped-"

    /// Puts a tail aside before it is cut off.
    static func keep(
        _ tail: UnsafeRawBufferPointer,
        of segment: UInt64,
        at offset: Int,
        on disk: some Storage
    )
        -> DroppedTail
    {
        var dropped = DroppedTail(
            file: FileFormat.journalName(segment),
            offset: offset,
            bytes: tail.count
        )
        guard tail.contains(where: { $0 != 0 }) else { return dropped }
        let name =
            "\(prefix)\(dropped.file.dropFirst("journal-".count).dropLast(".log".count))-\(offset).bin"
        do throws(StorageError) {
            try removeOldest(on: disk)
            let file = try disk.open(name, .create)
            defer { disk.close(file) }
            try disk.append(UnsafeRawBufferPointer(rebasing: tail.prefix(keptBytes)), to: file)
            try disk.sync(file)
            try disk.syncFolder()
            dropped.keptAs = name
        } catch {
            // On a full disk the timeline must open all the same; whoever opens it is told that nothing was kept.
        }
        return dropped
    }

    private static func removeOldest(on disk: some Storage) throws(StorageError) {
        let names = try disk.names().filter { $0.hasPrefix(prefix) }.sorted()
        for name in names.dropLast(keptFiles - 1) { try disk.remove(name) }
    }
}
