/// The runs on disk: what of each still counts, and how far each has been read.
struct RunSet {
    private(set) var runs: [Run] = []
    private var places: [UInt32: Int] = [:]
    /// Entries of all runs that count.
    private(set) var live = 0
    /// When the next push of each band that lies only in a run is due, by the first unread block; earlier, if that push has ended.
    private(set) var earliest = [Int64?](repeating: nil, count: ReadyQueue.bands)

    func contains(_ number: UInt32) -> Bool { places[number] != nil }

    subscript(number: UInt32) -> Run {
        guard let place = places[number] else { fatalError("run \(number) is gone") }
        return runs[place]
    }

    mutating func add(_ run: Run) {
        places[run.number] = runs.count
        runs.append(run)
        live += run.live
        findEarliest()
    }

    /// An entry does not count any more.
    mutating func kill(run number: UInt32, ordinal: UInt32) {
        guard let place = places[number] else { return }
        let before = runs[place].live
        runs[place].kill(ordinal)
        live += runs[place].live - before
    }

    /// The run whose unread block in a band is due first.
    func first(_ band: Int) -> (run: UInt32, block: Int)? {
        var best: (run: UInt32, block: Int, due: Int64)?
        for run in runs {
            guard let block = run.unread(band) else { continue }
            let due = run.blocks[block].firstDue
            if due < best?.due ?? .max || best == nil { best = (run.number, block, due) }
        }
        return best.map { ($0.run, $0.block) }
    }

    mutating func passed(run number: UInt32, band: Int) {
        guard let place = places[number] else { return }
        runs[place].cursors[band] += 1
        findEarliest()
    }

    /// Lets the blocks of a new run be read, without those that there is no need to read.
    mutating func open(run number: UInt32, skipping isNeedless: (Int) -> Bool) {
        guard let place = places[number] else { return }
        runs[place].skip(while: isNeedless)
        runs[place].isReadable = true
        findEarliest()
    }

    /// A block cannot be read.
    mutating func setAside(run number: UInt32, block: Int) {
        guard let place = places[number] else { return }
        runs[place].damaged.insert(block)
    }

    mutating func markPunched(run number: UInt32, block: Int) {
        guard let place = places[number] else { return }
        runs[place].isPunched[block] = true
    }

    /// Forgets runs in which nothing counts.
    ///
    /// - Returns: those forgotten; their files may go once no manifest names them.
    mutating func takeFinished() -> [Run] {
        let finished = runs.filter { $0.live == 0 }
        guard !finished.isEmpty else { return [] }
        runs.removeAll { $0.live == 0 }
        places = [:]
        for (place, run) in runs.enumerated() { places[run.number] = place }
        findEarliest()
        return finished
    }

    mutating func close(on disk: some Storage) {
        for run in runs { disk.close(run.file) }
        self = RunSet()
    }

    private mutating func findEarliest() {
        for band in 0..<ReadyQueue.bands {
            earliest[band] = runs.compactMap { run in
                run.unread(band).map { run.blocks[$0].firstDue }
            }.min()
        }
    }
}

/// One run, as memory knows it.
struct Run {
    let number: UInt32
    let file: FileID
    let size: Int
    let count: Int
    let blocks: [RunBlock]
    /// One bit an entry: it does not count any more.
    private(set) var dead: [UInt64]
    private(set) var live: Int
    private var liveInBlock: [UInt32]
    var isPunched: [Bool]
    /// Blocks that could not be read.
    var damaged: Set<Int> = []
    /// Its pushes are not in memory any more, so that they must be read when their time comes.
    var isReadable = false
    /// The next block to read in each band, from the front of the directory.
    var cursors: [Int]
    private let ends: [Int]

    init(number: UInt32, file: FileID, size: Int, count: Int, blocks: [RunBlock], dead: [UInt64]) {
        self.number = number
        self.file = file
        self.size = size
        self.count = count
        self.blocks = blocks
        let words = (count + 63) / 64
        self.dead = dead.isEmpty ? [UInt64](repeating: 0, count: words) : dead
        live = count
        liveInBlock = blocks.map(\.count)
        isPunched = blocks.map { _ in false }
        cursors = (0..<ReadyQueue.bands).map { band in
            blocks.firstIndex { $0.band >= UInt32(band) } ?? blocks.count
        }
        ends = (0..<ReadyQueue.bands).map { band in
            blocks.firstIndex { $0.band > UInt32(band) } ?? blocks.count
        }
        guard !dead.isEmpty else { return }
        for ordinal in 0..<UInt32(count) where isDead(ordinal) {
            live -= 1
            liveInBlock[block(of: ordinal)] -= 1
        }
    }

    func isDead(_ ordinal: UInt32) -> Bool {
        dead[Int(ordinal / 64)] >> UInt64(ordinal % 64) & 1 == 1
    }

    mutating func kill(_ ordinal: UInt32) {
        guard !isDead(ordinal) else { return }
        dead[Int(ordinal / 64)] |= 1 << UInt64(ordinal % 64)
        live -= 1
        liveInBlock[block(of: ordinal)] -= 1
    }

    /// The next block of a band that has not been read.
    func unread(_ band: Int) -> Int? {
        isReadable && cursors[band] < ends[band] ? cursors[band] : nil
    }

    /// Leaves blocks at the front of each band out, which there is no need to read.
    mutating func skip(while isNeedless: (Int) -> Bool) {
        for band in 0..<ReadyQueue.bands {
            while cursors[band] < ends[band], isNeedless(cursors[band]) { cursors[band] += 1 }
        }
    }

    /// Blocks in which nothing counts and whose room has not been given back.
    var finishedBlocks: [Int] { blocks.indices.filter { liveInBlock[$0] == 0 && !isPunched[$0] } }

    /// Every entry of the block counts.
    func isWhole(_ block: Int) -> Bool { liveInBlock[block] == blocks[block].count }

    func isFinished(_ block: Int) -> Bool { liveInBlock[block] == 0 }

    /// Entries of the block that count.
    func live(in block: Int) -> Int { Int(liveInBlock[block]) }

    func block(of ordinal: UInt32) -> Int {
        var low = 0
        var high = blocks.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if blocks[middle].firstOrdinal <= ordinal { low = middle } else { high = middle - 1 }
        }
        return low
    }
}
