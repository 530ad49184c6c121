package import BelfryCore

/// Writes a damaged timeline anew from everything in it that is whole.
///
/// First a whole new folder is made beside the damaged one (``rebuild(from:in:at:dropping:)``), which changes nothing; then it takes its place
/// (``Rebuilt/commit(from:to:)``), and only replacing the manifest makes it count, so that a crash leaves the old state or the new one.
///
/// What is lost with a damaged record is its effect: a push that it accepted is gone, one that it cancelled or ended is pending again. With the
/// manifest goes which pushes in runs had ended before the last checkpoint: they are pending again.
package enum JournalRepair {
    /// - Parameters:
    ///   - disk: the damaged folder, owned by the caller.
    ///   - work: an empty folder.
    ///   - drop: is given everything that is not kept, in pieces.
    /// - Throws: ``TimelineError`` with `newerFormat`, `io`, `full`, or what `drop` throws.
    package static func rebuild(
        from disk: some Storage,
        in work: some Storage,
        at now: Timestamp,
        dropping drop: (DroppedPiece) throws(TimelineError) -> Void
    ) throws(TimelineError) -> Rebuilt {
        try rebuild(from: disk, in: work, at: now, beginning: Manifest(key: .random()), drop)
    }

    /// - Parameter beginning: what the manifest said when the lane was begun.
    static func rebuild(
        from disk: some Storage,
        in work: some Storage,
        at now: Timestamp,
        beginning: Manifest,
        _ drop: (DroppedPiece) throws(TimelineError) -> Void
    ) throws(TimelineError) -> Rebuilt {
        var salvage = try JournalSalvage(disk, work, beginning)
        try salvage.readManifest(drop)
        try salvage.readRuns(drop)
        try salvage.readSegments(drop)
        try salvage.finish()
        let moment = Moment(now: now.milliseconds, steady: 0)
        var lane = try Lane.open(work, limits: JournalConfiguration(), at: moment, isLenient: true)
        try lane.checkpoint(at: moment)
        salvage.rebuilt.pending = lane.counts().scheduled
        lane.markClosed()
        lane.close()
        guard try JournalDoctor.verify(work).isSound else {
            throw TimelineError(.invalid, "what was rebuilt is not sound; nothing was changed")
        }
        return salvage.rebuilt
    }
}

/// A timeline that has been written anew, and what of the old one it replaces.
package struct Rebuilt: Sendable {
    /// Files in which something was not whole.
    package internal(set) var damaged: Set<String> = []
    /// Pushes that are pending in it.
    package internal(set) var pending = 0
    /// Pieces that could not be kept, and their bytes.
    package internal(set) var pieces = 0
    package internal(set) var bytes = 0
    var old: [String] = []

    private static let prefix = "damaged-"

    /// Nothing is wrong, so that nothing need be done.
    package var isNeedless: Bool { damaged.isEmpty }

    /// Puts the new files beside the old ones, replaces the manifest, then renames the damaged old files to `damaged-…` and removes the others.
    package func commit(from work: some Storage, to disk: some Storage) throws(TimelineError) {
        try onDisk { () throws(StorageError) in
            let manifest = FileFormat.manifestName
            if damaged.contains(manifest), try disk.names().contains(manifest) {
                let kept = try Self.nameKept(manifest, on: disk)
                try Self.copy(manifest, from: disk, to: kept, on: disk)
            }
            for name in try work.names() where Self.isData(name) {
                try Self.copy(name, from: work, to: name, on: disk)
            }
            try disk.syncFolder()
            try Self.copy(manifest, from: work, to: FileFormat.newManifestName, on: disk)
            try disk.rename(FileFormat.newManifestName, to: manifest)
            try disk.syncFolder()
            for name in old {
                if damaged.contains(name) {
                    try disk.rename(name, to: try Self.nameKept(name, on: disk))
                } else {
                    try disk.remove(name)
                }
            }
            try Self.copy(NewestSegment.name, from: work, to: NewestSegment.name, on: disk)
            try disk.syncFolder()
        }
    }

    /// Under which name a damaged file is kept: never that of one that an earlier repair has kept.
    static func nameKept(_ name: String, on disk: some Storage) throws(StorageError) -> String {
        let taken = Set(try disk.names())
        let first = prefix + name
        guard taken.contains(first) else { return first }
        var number = 2
        while taken.contains("\(first).\(number)") { number += 1 }
        return "\(first).\(number)"
    }

    static func isData(_ name: String) -> Bool {
        FileFormat.journalNumber(name) != nil || FileFormat.runNumber(name) != nil
    }

    private static func copy(
        _ name: String,
        from source: some Storage,
        to target: String,
        on disk: some Storage
    ) throws(StorageError) {
        let whole = try WholeFile(name, on: source)
        let file = try disk.open(target, .create)
        defer { disk.close(file) }
        try disk.append(whole.bytes, to: file)
        try disk.sync(file)
    }
}
