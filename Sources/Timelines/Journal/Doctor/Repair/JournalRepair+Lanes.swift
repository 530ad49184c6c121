package import BelfryCore

/// One lane of a timeline that has been written anew.
package struct RebuiltLane<Disk: Storage, Work: Storage>: Sendable {
    /// Its folder; empty for a timeline from before there were lanes.
    package let name: String
    /// `nil` where its folder is lost: it is made.
    let disk: Disk?
    let work: Work
    package internal(set) var rebuilt: Rebuilt
}

/// A timeline that has been written anew, beside the damaged one.
package struct RebuiltTimeline<Disk: Storage, Work: Storage>: Sendable {
    /// Those of which something is to be replaced.
    package let lanes: [RebuiltLane<Disk, Work>]
    /// What the lost layout must have said; `nil` where it is whole.
    let layout: Layout?
    private let root: Disk

    init(_ root: Disk, _ lanes: [RebuiltLane<Disk, Work>], layout: Layout?) {
        self.root = root
        self.lanes = lanes.filter { !$0.rebuilt.isNeedless }
        self.layout = layout
    }

    /// Nothing is wrong, so that nothing need be done.
    package var isNeedless: Bool { lanes.isEmpty && layout == nil }

    /// Puts every lane in its place, then the layout that names them: see ``Rebuilt/commit(from:to:)``.
    package func commit() throws(TimelineError) {
        for lane in lanes {
            let disk: Disk
            if let found = lane.disk { disk = found } else { disk = try made(lane.name) }
            try lane.rebuilt.commit(from: lane.work, to: disk)
        }
        guard let layout else { return }
        let root = root
        try onDisk { () throws(StorageError) in
            let name = FileFormat.layoutName
            if try root.names().contains(name) {
                try root.rename(name, to: try Rebuilt.nameKept(name, on: root))
            }
            try layout.write(to: root)
        }
    }

    private func made(_ name: String) throws(TimelineError) -> Disk {
        try onDisk { () throws(StorageError) in
            let disk = try root.subfolder(name, making: true)
            try root.syncFolder()
            return disk
        }
    }
}

extension JournalRepair {
    /// Every lane of a timeline, each as ``rebuild(from:in:at:dropping:)``. A lane whose folder is lost begins anew; a lost layout is told by the lanes.
    ///
    /// - Parameter drop: is given the lane's folder, empty for the timeline's own, and a piece of a file in it.
    /// - Throws: `corrupt` where the layout is lost and the lanes do not tell it.
    package static func rebuild<Disk: Storage, Work: Storage>(
        lanesOf root: Disk,
        in work: Work,
        at now: Timestamp,
        dropping drop: (String, DroppedPiece) throws(TimelineError) -> Void
    ) throws(TimelineError) -> RebuiltTimeline<Disk, Work> {
        let (found, isLost) = try layout(of: root, drop)
        guard let layout = found else {
            let rebuilt = try rebuild(from: root, in: work, at: now) {
                (piece) throws(TimelineError) in try drop("", piece)
            }
            let lane = RebuiltLane(name: "", disk: root, work: work, rebuilt: rebuilt)
            return RebuiltTimeline(root, [lane], layout: nil)
        }
        var lanes: [RebuiltLane<Disk, Work>] = []
        for number in 0..<layout.lanes {
            lanes.append(try rebuild(number, of: layout, in: root, work, at: now, drop))
        }
        return RebuiltTimeline(root, lanes, layout: isLost ? layout : nil)
    }

    /// - Returns: `nil` for a timeline from before there were lanes, or none at all.
    private static func layout(
        of root: some Storage,
        _ drop: (String, DroppedPiece) throws(TimelineError) -> Void
    ) throws(TimelineError) -> (Layout?, isLost: Bool) {
        let name = FileFormat.layoutName
        let names = try onDisk { () throws(StorageError) in try root.names() }
        var reason = "the file is missing: it is made anew by what the lanes say"
        do throws(TimelineError) {
            if let layout = try Layout(on: root) { return (layout, false) }
            guard names.contains(where: { Layout.isLaneFolder($0) }) else { return (nil, false) }
        } catch {
            guard error.code == .corrupt else { throw error }
            reason = "is damaged: it is made anew by what the lanes say"
        }
        let layout = try Layout.restored(from: root)
        var bytes: [UInt8] = []
        if names.contains(name) {
            let file = try onDisk { () throws(StorageError) in try WholeFile(name, on: root) }
            bytes = Array(file.bytes)
        }
        try drop(
            "",
            DroppedPiece(file: name, offset: 0, length: bytes.count, reason: reason, bytes: bytes)
        )
        return (layout, true)
    }

    private static func rebuild<Disk: Storage, Work: Storage>(
        _ number: Int,
        of layout: Layout,
        in root: Disk,
        _ work: Work,
        at now: Timestamp,
        _ drop: (String, DroppedPiece) throws(TimelineError) -> Void
    ) throws(TimelineError) -> RebuiltLane<Disk, Work> {
        let name = layout.folders[number]
        let target = try onDisk { () throws(StorageError) in
            try work.subfolder(name, making: true)
        }
        var beginning = Manifest(
            key: layout.key,
            sequence: UInt64(number + 1),
            stride: UInt32(layout.lanes)
        )
        if let disk = try layout.filled(name, in: root) {
            let rebuilt = try rebuild(from: disk, in: target, at: now, beginning: beginning) {
                (piece) throws(TimelineError) in try drop(name, piece)
            }
            return RebuiltLane(name: name, disk: disk, work: target, rebuilt: rebuilt)
        }
        // Far above every number that the lost lane has given: a number names a version of a push, in the records too.
        beginning.sequence += UInt64(layout.lanes) << 40
        let nothing = try onDisk { () throws(StorageError) in
            try work.subfolder("lost-\(name)", making: true)
        }
        var rebuilt = try rebuild(from: nothing, in: target, at: now, beginning: beginning) { _ in }
        rebuilt.damaged.insert(FileFormat.manifestName)
        let share = layout.lanes == 1 ? "everything" : "about one push in \(layout.lanes)"
        let reason =
            "the folder is missing or empty: what was pending in it is lost, \(share); it begins anew"
        try drop("", DroppedPiece(file: name, offset: 0, length: 0, reason: reason, bytes: []))
        return RebuiltLane(name: name, disk: nil, work: target, rebuilt: rebuilt)
    }
}

extension JournalCopy {
    /// Every lane of a timeline that nobody has open, each as ``write(from:to:)``, and the layout.
    package static func write(lanesOf root: some Storage, to copy: some Storage)
        throws(TimelineError) -> Int
    {
        guard let layout = try Layout(on: root) else {
            try Layout.requireNoLanes(in: root)
            return try write(from: root, to: copy)
        }
        var bytes = 0
        for name in layout.folders {
            let target = try onDisk { () throws(StorageError) in
                try copy.subfolder(name, making: true)
            }
            bytes += try write(from: try layout.folder(name, in: root), to: target)
        }
        try onDisk { () throws(StorageError) in
            try copy.syncFolder()
            try layout.write(to: copy)
        }
        return bytes
    }
}

extension Layout {
    private static let cure = "run belfry doctor --repair, or put it back from a copy"

    /// The folder of a lane, which must be there.
    fileprivate func folder<Disk: Storage>(_ name: String, in root: Disk) throws(TimelineError)
        -> Disk
    {
        do throws(StorageError) { return try root.subfolder(name, making: false) } catch {
            guard error.kind == .missing else { throw TimelineError(error) }
            throw TimelineError(.corrupt, "\(name): the folder is missing; \(Self.cure)")
        }
    }

    /// - Returns: `nil` where the folder is missing, or nothing of the engine's is in it.
    fileprivate func filled<Disk: Storage>(_ name: String, in root: Disk) throws(TimelineError)
        -> Disk?
    {
        let disk: Disk
        do throws(StorageError) { disk = try root.subfolder(name, making: false) } catch {
            guard error.kind == .missing else { throw TimelineError(error) }
            return nil
        }
        let names = try onDisk { () throws(StorageError) in try disk.names() }
        if names.contains(where: { FileFormat.isOfLane($0) }) { return disk }
        disk.release()
        return nil
    }

    /// Without a layout there may be a timeline from before there were lanes, or nothing.
    fileprivate static func requireNoLanes(in root: some Storage) throws(TimelineError) {
        let names = try onDisk { () throws(StorageError) in try root.names() }
        guard let name = names.first(where: { isLaneFolder($0) }) else { return }
        throw TimelineError(
            .corrupt,
            "\(FileFormat.layoutName) is missing, but \(name) is there; \(cure)"
        )
    }
}
