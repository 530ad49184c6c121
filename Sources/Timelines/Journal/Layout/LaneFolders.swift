import BelfryCore

/// The folders of a timeline's lanes, made or brought into the wanted form before any lane is opened.
struct LaneFolders<Disk: Storage> {
    let layout: Layout
    /// One for each lane, in order.
    let disks: [Disk]

    /// - Parameter lanes: `nil`: as many as the folder has; in a new one, ``JournalConfiguration/usualLanes``.
    /// - Throws: `corrupt`, `newerFormat`, `io`, `full`; the folder is as it was then.
    static func open(
        _ root: Disk,
        _ configuration: JournalConfiguration,
        at moment: Moment
    ) throws(TimelineError) -> LaneFolders {
        let wanted = configuration.lanes
        let old = try Layout(on: root)
        let isFirstForm = old == nil ? try isFirstForm(root) : false
        if let old {
            removeStrays(root, but: old)
            if wanted ?? old.lanes == old.lanes { return try LaneFolders(old, in: root) }
        } else if !isFirstForm {
            try removeBegun(root)
            return try begin(root, lanes: wanted ?? JournalConfiguration.usualLanes)
        } else {
            removeStrays(root, but: nil)
        }
        let sources = try old.map { (old) throws(TimelineError) in
            try LaneFolders(old, in: root).disks
        }
        let new = try Spreading.spread(
            sources ?? [root],
            over: wanted ?? old?.lanes ?? 1,
            set: old.map { $0.set + 1 } ?? 0,
            in: root,
            configuration,
            at: moment
        )
        removeStrays(root, but: new)
        return try LaneFolders(new, in: root)
    }

    private init(_ layout: Layout, in root: Disk) throws(TimelineError) {
        self.layout = layout
        var disks: [Disk] = []
        for name in layout.folders {
            do throws(StorageError) { disks.append(try root.subfolder(name, making: false)) } catch
            {
                guard error.kind == .missing else { throw TimelineError(error) }
                throw TimelineError(.corrupt, "\(name): the folder is missing")
            }
        }
        self.disks = disks
    }

    private static func begin(_ root: Disk, lanes: Int) throws(TimelineError) -> LaneFolders {
        let layout = Layout(lanes: lanes, key: .random())
        for (number, name) in layout.folders.enumerated() {
            let disk = try onDisk { () throws(StorageError) in
                try root.subfolder(name, making: true)
            }
            let manifest = Manifest(
                key: layout.key,
                sequence: UInt64(number + 1),
                stride: UInt32(lanes)
            )
            try Lane.begin(manifest, on: disk)
        }
        try onDisk { () throws(StorageError) in
            try root.syncFolder()
            try layout.write(to: root)
        }
        return try LaneFolders(layout, in: root)
    }

    /// Before there were lanes, the files of the only one lay in the folder itself.
    private static func isFirstForm(_ root: Disk) throws(TimelineError) -> Bool {
        try !Lane.isFresh(root)
    }

    /// A start that was interrupted leaves folders without a layout. Nothing was accepted in them, or somebody has removed the layout.
    private static func removeBegun(_ root: Disk) throws(TimelineError) {
        let names = try onDisk { () throws(StorageError) in try root.names() }
        for name in names where Layout.isLaneFolder(name) {
            let disk = try onDisk { () throws(StorageError) in
                try root.subfolder(name, making: false)
            }
            guard try Lane.isFresh(disk) else {
                throw TimelineError(
                    .corrupt,
                    "\(FileFormat.layoutName), byte 0: is missing, but \(name) is there"
                )
            }
            try onDisk { () throws(StorageError) in try root.removeSubfolder(name) }
        }
    }

    /// Removes what the layout does not name: an earlier set of folders, or one that was not finished. What cannot be removed now is tried again at
    /// the next opening.
    private static func removeStrays(_ root: Disk, but layout: Layout?) {
        let known = Set(layout?.folders ?? [])
        let names = (try? root.names()) ?? []
        let folders = names.filter { Layout.isLaneFolder($0) && !known.contains($0) }
        let files = names.filter { layout != nil && FileFormat.isOfLane($0) }
        // A power cut must not bring back a layout that names what is removed here.
        guard !folders.isEmpty || !files.isEmpty, (try? root.syncFolder()) != nil else { return }
        for name in folders { try? root.removeSubfolder(name) }
        for name in files { try? root.remove(name) }
    }
}
