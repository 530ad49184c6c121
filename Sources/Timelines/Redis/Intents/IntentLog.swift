import BelfryCore
import BelfryJournal
import NIOPosix
import Synchronization

/// What servers have confirmed and their replicas may not have yet: a folder of append-only files on this machine. Whoever appends hears of it when it is on the
/// medium; all who append while a sync is under way share the next one.
///
/// A file begins with a header; then frames: length (4) and CRC-32C (4) of the entries that follow, each with its shard (2), its length (4) and the
/// bytes of an ``Intent``. What lies in older files is forgotten file by file.
final class IntentLog: Sendable {
    private struct Waiter: Sendable {
        var frame: [UInt8]
        var done: @Sendable (TimelineError?) -> Void
    }

    private struct Queue {
        var waiting: [Waiter] = []
        var isWriting = false
    }

    private struct Segment {
        var number: UInt64
        var bytes: Int
    }

    private struct Files {
        /// The oldest first; the last is the one that grows.
        var segments: [Segment]
        var open: FileID
        /// After a failed write the file may end in half a frame: nothing is appended to it any more.
        var isBroken = false
        var isClosed = false
    }

    private let disk: DiskStorage
    private let queue = Mutex(Queue())
    /// Held while the disk works, by threads that may block only.
    private let files: Mutex<Files>

    /// Opens a folder, or makes it. A frame that was being written when the machine stopped was promised to nobody: it is cut off.
    ///
    /// - Throws: ``TimelineError`` with `locked`, `io`, `full`, `newerFormat` or `corrupt`.
    init(folder: String) throws(TimelineError) {
        disk = try DiskStorage(folder: folder)
        do throws(TimelineError) {
            let (segments, open) = try Self.open(disk)
            files = Mutex(Files(segments: segments, open: open))
        } catch {
            disk.release()
            throw error
        }
    }

    /// Whether a folder has files of a log.
    static func isUsed(_ folder: String) -> Bool {
        // A folder that cannot be listed is used by nobody.
        ((try? DiskStorage.names(in: folder)) ?? []).contains { number($0) != nil }
    }

    /// Ends it; whatever is being written comes to its end first.
    func close() {
        files.withLock { files in
            files.isClosed = true
            disk.close(files.open)
        }
        disk.release()
    }

    /// How much lies there.
    var bytes: Int { files.withLock { $0.segments.reduce(0) { $0 + $1.bytes } } }

    // MARK: Appending

    /// Returns when everything is on the medium.
    ///
    /// - Throws: ``TimelineError`` with `full` or `io`.
    func append(_ intents: [Intent]) async throws(TimelineError) {
        let frame = Self.frame(intents)
        let failure = await withCheckedContinuation { continuation in
            let waiter = Waiter(frame: frame) { continuation.resume(returning: $0) }
            let isFirst = queue.withLock { queue in
                queue.waiting.append(waiter)
                defer { queue.isWriting = true }
                return !queue.isWriting
            }
            if isFirst { Self.onThread { self.write() } }
        }
        if let failure { throw failure }
    }

    private func write() {
        while true {
            let group = queue.withLock { queue in
                defer { queue.waiting = [] }
                queue.isWriting = !queue.waiting.isEmpty
                return queue.waiting
            }
            guard !group.isEmpty else { return }
            var failure: TimelineError?
            do throws(TimelineError) { try write(group.flatMap(\.frame)) } catch {
                failure = TimelineError(
                    error.code,
                    "the server has done it, but a fail-over may lose it: \(error.message)"
                )
            }
            for waiter in group { waiter.done(failure) }
        }
    }

    private func write(_ bytes: [UInt8]) throws(TimelineError) {
        try files.withLock { files throws(TimelineError) in
            try Self.checkOpen(files)
            if files.isBroken { try Self.roll(&files, disk) }
            files.isBroken = true
            try Self.append(bytes, to: files.open, disk)
            files.isBroken = false
            files.segments[files.segments.count - 1].bytes += bytes.count
        }
    }

    // MARK: Forgetting

    /// Begins a new file, where enough has been appended to be worth while.
    ///
    /// - Returns: its number: all that was appended before lies in older files. `nil`: there is too little.
    func roll() async throws(TimelineError) -> UInt64? {
        try await onDisk { files, disk throws(TimelineError) in
            guard files.segments.count > 1 || files.segments[0].bytes >= Self.worthBytes else {
                return nil
            }
            if files.segments[files.segments.count - 1].bytes > 0 { try Self.roll(&files, disk) }
            return files.segments.last?.number
        }
    }

    /// Removes the files older than this one.
    func forget(before number: UInt64) async throws(TimelineError) {
        try await onDisk { files, disk throws(TimelineError) in
            while let first = files.segments.first, first.number < number {
                try Self.remove(first.number, disk)
                files.segments.removeFirst()
            }
        }
    }

    /// Removes the oldest files until no more than so many bytes are left, or only the newest file.
    ///
    /// - Returns: how much was removed.
    func trim(to limit: Int) async throws(TimelineError) -> Int {
        try await onDisk { files, disk throws(TimelineError) in
            var total = files.segments.reduce(0) { $0 + $1.bytes }
            let before = total
            while total > limit, files.segments.count > 1 {
                try Self.remove(files.segments[0].number, disk)
                total -= files.segments.removeFirst().bytes
            }
            return before - total
        }
    }

    // MARK: Reading

    /// Everything that was appended, in order, as far as it is wanted.
    ///
    /// - Throws: ``TimelineError`` with `corrupt` or `io`.
    func read(_ isWanted: @escaping @Sendable (Intent) -> Bool) async throws(TimelineError)
        -> [Intent]
    {
        try await onDisk { files, disk throws(TimelineError) in
            var found: [Intent] = []
            try Self.walk(files, disk) { if isWanted($0) { found.append($0) } }
            return found
        }
    }

    /// Of each shard, the last change.
    func newest() async throws(TimelineError) -> [Int: Int] {
        try await onDisk { files, disk throws(TimelineError) in
            var newest: [Int: Int] = [:]
            try Self.walk(files, disk) { intent in
                newest[intent.shard] = max(newest[intent.shard] ?? 0, intent.change)
            }
            return newest
        }
    }

    private static func walk(_ files: Files, _ disk: DiskStorage, _ take: (Intent) -> Void)
        throws(TimelineError)
    {
        for segment in files.segments where segment.bytes > 0 {
            let bytes = try contents(segment.number, disk)
            _ = frames(bytes[..<(FileFormat.headerBytes + segment.bytes)]) { body in
                for intent in intents(body) { take(intent) }
            }
        }
    }

    private func onDisk<Value: Sendable>(
        _ body: @escaping @Sendable (inout Files, DiskStorage) throws(TimelineError) -> Value
    ) async throws(TimelineError) -> Value {
        let result: Result<Value, TimelineError> = await withCheckedContinuation { continuation in
            Self.onThread {
                let result = self.files.withLock { files -> Result<Value, TimelineError> in
                    do throws(TimelineError) {
                        try Self.checkOpen(files)
                        return .success(try body(&files, self.disk))
                    } catch {
                        return .failure(error)
                    }
                }
                continuation.resume(returning: result)
            }
        }
        return try result.get()
    }

    /// Once it is closed, its file's number may be another file's.
    private static func checkOpen(_ files: Files) throws(TimelineError) {
        if files.isClosed { throw TimelineError(.closed, "the timeline is closed") }
    }

    /// The disk blocks: not on a thread that tasks share.
    private static func onThread(_ work: @escaping @Sendable () -> Void) {
        NIOThreadPool.singleton.submit { _ in work() }
    }
}

// MARK: - Files

extension IntentLog {
    /// With less, a new file is not worth its names.
    static let worthBytes = 64 << 10

    private static func name(_ number: UInt64) -> String { "intents-\(number).log" }

    private static func number(_ name: String) -> UInt64? {
        guard name.hasPrefix("intents-"), name.hasSuffix(".log") else { return nil }
        return UInt64(name.dropFirst(8).dropLast(4))
    }

    private static func open(_ disk: DiskStorage) throws(TimelineError) -> ([Segment], FileID) {
        let names = try io { () throws(StorageError) in try disk.names() }
        let numbers = names.compactMap { number($0) }.sorted()
        var segments: [Segment] = []
        for number in numbers {
            let bytes = try soundBytes(number, isLast: number == numbers.last, disk)
            if let bytes { segments.append(Segment(number: number, bytes: bytes)) }
        }
        let new = Segment(number: (numbers.last ?? 0) + 1, bytes: 0)
        return (segments + [new], try create(new.number, disk))
    }

    private static func create(_ number: UInt64, _ disk: DiskStorage) throws(TimelineError)
        -> FileID
    {
        let file = try io { () throws(StorageError) in try disk.open(name(number), .create) }
        try append(FileFormat.header(.intents, number: number), to: file, disk)
        try io { () throws(StorageError) in try disk.syncFolder() }
        return file
    }

    private static func append(_ bytes: [UInt8], to file: FileID, _ disk: DiskStorage)
        throws(TimelineError)
    {
        try io { () throws(StorageError) in
            try bytes.span.bytes.withUnsafeBytes { (bytes) throws(StorageError) in
                try disk.append(bytes, to: file)
            }
            try disk.sync(file)
        }
    }

    private static func roll(_ files: inout Files, _ disk: DiskStorage) throws(TimelineError) {
        let last = files.segments[files.segments.count - 1]
        let open = files.open
        if files.isBroken {
            try io { () throws(StorageError) in
                try disk.truncate(open, to: FileFormat.headerBytes + last.bytes)
                try disk.sync(open)
            }
        }
        files.open = try create(last.number + 1, disk)
        disk.close(open)
        files.isBroken = false
        files.segments.append(Segment(number: last.number + 1, bytes: 0))
    }

    private static func remove(_ number: UInt64, _ disk: DiskStorage) throws(TimelineError) {
        try io { () throws(StorageError) in try disk.remove(name(number)) }
    }

    private static func contents(_ number: UInt64, _ disk: DiskStorage) throws(TimelineError)
        -> [UInt8]
    {
        try io { () throws(StorageError) in
            let file = try disk.open(name(number), .read)
            defer { disk.close(file) }
            var bytes = [UInt8](repeating: 0, count: try disk.size(file))
            var span = bytes.mutableSpan
            let count = try span.withUnsafeMutableBytes { (buffer) throws(StorageError) in
                try disk.read(file, at: 0, into: buffer)
            }
            return Array(bytes.prefix(count))
        }
    }

    /// How much of a file is whole frames; the rest of the last one is cut off.
    ///
    /// - Returns: `nil` for a last file that was not even begun; it is removed.
    private static func soundBytes(_ number: UInt64, isLast: Bool, _ disk: DiskStorage)
        throws(TimelineError) -> Int?
    {
        let bytes = try contents(number, disk)
        if isLast, bytes.count < FileFormat.headerBytes {
            try remove(number, disk)
            return nil
        }
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(TimelineError) in
            try FileFormat.checkHeader(bytes, .intents, number: number, file: name(number))
        }
        let end = frames(bytes[...]) { _ in }
        if end < bytes.count {
            guard isLast else {
                let place = "\(disk.folder)/\(name(number)), byte \(end)"
                throw TimelineError(.corrupt, "\(place): the record is damaged")
            }
            try io { () throws(StorageError) in
                let file = try disk.open(name(number), .update)
                defer { disk.close(file) }
                try disk.truncate(file, to: end)
                try disk.sync(file)
            }
        }
        return end - FileFormat.headerBytes
    }

    private static func io<Value>(_ body: () throws(StorageError) -> Value) throws(TimelineError)
        -> Value
    {
        do throws(StorageError) { return try body() } catch { throw TimelineError(error) }
    }
}

// MARK: - Frames

extension IntentLog {
    private static func frame(_ intents: [Intent]) -> [UInt8] {
        var body: [UInt8] = []
        for intent in intents {
            body.append(number: Int64(intent.shard), 2)
            body.append(number: Int64(intent.bytes.count), 4)
            body += intent.bytes
        }
        var frame: [UInt8] = []
        frame.append(number: Int64(body.count), 4)
        frame.append(number: Int64(checksum(body[...])), 4)
        return frame + body
    }

    /// Calls `take` with the entries of every whole frame.
    ///
    /// - Returns: where the whole frames end.
    private static func frames(_ bytes: ArraySlice<UInt8>, _ take: (ArraySlice<UInt8>) -> Void)
        -> Int
    {
        var at = FileFormat.headerBytes
        while at + 8 <= bytes.endIndex {
            let end = at + 8 + number(bytes[at..<at + 4])
            guard end <= bytes.endIndex,
                checksum(bytes[(at + 8)..<end]) == number(bytes[(at + 4)..<at + 8])
            else { break }
            take(bytes[(at + 8)..<end])
            at = end
        }
        return at
    }

    private static func intents(_ body: ArraySlice<UInt8>) -> [Intent] {
        var intents: [Intent] = []
        var rest = body
        while rest.count >= 6 {
            let shard = number(rest.prefix(2))
            let length = number(rest.dropFirst(2).prefix(4))
            intents.append(Intent(shard: shard, bytes: Array(rest.dropFirst(6).prefix(length))))
            rest = rest.dropFirst(6 + length)
        }
        return intents
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.withUnsafeBytes { Int(Checksum.crc($0)) }
    }
}
