import BelfryCore

extension Layout {
    /// What the layout must have said, by the lanes' folders: each manifest knows the key and, by its stride, how many lanes there are. For a layout that
    /// is lost.
    ///
    /// - Throws: `corrupt` where no manifest is whole, or the folders of two numbers of lanes are there and each set is complete, or none is.
    static func restored(from root: some Storage) throws(TimelineError) -> Layout {
        var sets: [UInt32: Set<Int>] = [:]
        for name in try onDisk({ () throws(StorageError) in try root.names() }) {
            guard let (lane, set) = place(of: name) else { continue }
            sets[set, default: []].insert(lane)
        }
        var found: [Candidate] = []
        for (set, lanes) in sets {
            if let candidate = try Candidate(set, lanes, in: root) { found.append(candidate) }
        }
        if found.count > 1 { found = found.filter(\.isComplete) }
        guard let candidate = found.first, found.count == 1 else {
            let why =
                found.isEmpty
                ? "no set of lane folders is whole enough to say what was in it"
                : "the folders of \(found.count) sets of lanes are there"
            throw TimelineError(
                .corrupt,
                "\(FileFormat.layoutName) is lost, and \(why); put it back from a copy of the data folder"
            )
        }
        return candidate.layout
    }

    /// Lane and set that a folder is named after.
    private static func place(of name: String) -> (lane: Int, set: UInt32)? {
        guard isLaneFolder(name) else { return nil }
        let parts = name.dropFirst("lane-".count).split(
            separator: ".",
            omittingEmptySubsequences: false
        )
        guard 1...2 ~= parts.count, let lane = Int(parts[0]), 0..<lanesMax ~= lane else {
            return nil
        }
        guard parts.count == 2 else { return (lane, 0) }
        return UInt32(parts[1]).map { (lane, $0) }
    }

    /// A set of lane folders that may have been in force.
    private struct Candidate {
        var layout: Layout
        var isComplete: Bool

        /// - Returns: `nil` where no manifest of it is whole, or they contradict one another.
        init?(_ set: UInt32, _ lanes: Set<Int>, in root: some Storage) throws(TimelineError) {
            var known: Layout?
            var whole = 0
            for lane in lanes {
                let name = set == 0 ? "lane-\(lane)" : "lane-\(lane).\(set)"
                guard let manifest = try Self.manifest(name, in: root) else { continue }
                let layout = Layout(lanes: Int(manifest.stride), set: set, key: manifest.key)
                guard 1...lanesMax ~= layout.lanes, known == nil || known == layout else {
                    return nil
                }
                known = layout
                whole += 1
            }
            guard let known, lanes.allSatisfy({ $0 < known.lanes }) else { return nil }
            layout = known
            isComplete = whole == known.lanes
        }

        private static func manifest(_ name: String, in root: some Storage) throws(TimelineError)
            -> Manifest?
        {
            let folder = try onDisk { () throws(StorageError) in
                try root.subfolder(name, making: false)
            }
            defer { folder.release() }
            do throws(TimelineError) { return try Manifest(on: folder) } catch {
                guard error.code == .corrupt else { throw error }
                return nil
            }
        }
    }
}
