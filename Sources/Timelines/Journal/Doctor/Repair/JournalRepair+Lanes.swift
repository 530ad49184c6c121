package import BelfryCore

/// One lane of a timeline that has been written anew.
package struct RebuiltLane<Disk: Storage, Work: Storage>: Sendable {
    /// Its folder; empty for a timeline from before there were lanes.
    package let name: String
    let disk: Disk
    let work: Work
    package let rebuilt: Rebuilt

    /// See ``Rebuilt/commit(from:to:)``.
    package func commit() throws(TimelineError) { try rebuilt.commit(from: work, to: disk) }
}

extension JournalRepair {
    /// Every lane of a timeline, each as ``rebuild(from:in:at:dropping:)``.
    ///
    /// - Parameter drop: is given the lane's folder and a piece of a file in it.
    /// - Throws: `corrupt` where the layout, or the whole folder of a lane, is lost.
    package static func rebuild<Disk: Storage, Work: Storage>(
        lanesOf root: Disk,
        in work: Work,
        at now: Timestamp,
        dropping drop: (String, DroppedPiece) throws(TimelineError) -> Void
    ) throws(TimelineError) -> [RebuiltLane<Disk, Work>] {
        guard let layout = try Layout(on: root) else {
            try Layout.requireNoLanes(in: root)
            let rebuilt = try rebuild(from: root, in: work, at: now) {
                (piece) throws(TimelineError) in try drop("", piece)
            }
            return [RebuiltLane(name: "", disk: root, work: work, rebuilt: rebuilt)]
        }
        var lanes: [RebuiltLane<Disk, Work>] = []
        for (number, name) in layout.folders.enumerated() {
            let disk = try layout.folder(name, in: root)
            let target = try onDisk { () throws(StorageError) in
                try work.subfolder(name, making: true)
            }
            let beginning = Manifest(
                key: layout.key,
                sequence: UInt64(number + 1),
                stride: UInt32(layout.lanes)
            )
            let rebuilt = try rebuild(from: disk, in: target, at: now, beginning: beginning) {
                (piece) throws(TimelineError) in try drop(name, piece)
            }
            lanes.append(RebuiltLane(name: name, disk: disk, work: target, rebuilt: rebuilt))
        }
        return lanes
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
    /// The folder of a lane, which must be there.
    fileprivate func folder<Disk: Storage>(_ name: String, in root: Disk) throws(TimelineError)
        -> Disk
    {
        do throws(StorageError) { return try root.subfolder(name, making: false) } catch {
            guard error.kind == .missing else { throw TimelineError(error) }
            throw TimelineError(
                .corrupt,
                "\(name): the folder is missing; put it back from a copy of the data folder"
            )
        }
    }

    /// Without a layout there may be a timeline from before there were lanes, or nothing.
    fileprivate static func requireNoLanes(in root: some Storage) throws(TimelineError) {
        let names = try onDisk { () throws(StorageError) in try root.names() }
        guard let name = names.first(where: { isLaneFolder($0) }) else { return }
        throw TimelineError(
            .corrupt,
            "\(FileFormat.layoutName) is missing, but \(name) is there; put it back from a copy of the data folder"
        )
    }
}
