import BelfryCore
import Synchronization

/// A disk in memory that forgets what was not synced, tears the last write, runs full, and fails when told to.
///
/// Folders are names that end with a slash; a file in one has the folder's name in front.
package final class SimulatedDisk: Storage {
    struct File: Sendable {
        var bytes: [UInt8] = []
        /// What a power cut leaves for sure.
        var durable: [UInt8] = []
        var reserved = 0
    }

    package struct State: Sendable {
        var files: [Int: File] = [:]
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var open: [Int32: Int] = [:]
        var nextFile = 0
        var nextHandle: Int32 = 0
        /// Calls that change something, so far.
        var changes = 0
        /// From this change on every call fails: the power is gone.
        var powerCutAt = Int.max
        /// This one change fails, and those after it do not.
        var failAt = Int.max
        var failure = StorageError(.other, "write: input/output error")
        var capacity = Int.max
        /// Files whose names begin so are not synced when they are told to: a fault that tests put in on purpose.
        var unsynced: String?

        package init() {}
    }

    /// What all folders of a disk share.
    final class Medium: Sendable {
        private let state: Mutex<State>

        init(_ state: State) { self.state = Mutex(state) }

        func withLock<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
            state.withLock { body(&$0) }
        }
    }

    let state: Medium
    /// In front of every name of this folder.
    private let prefix: String

    package init(_ state: State = State()) {
        self.state = Medium(state)
        prefix = ""
    }

    private init(_ medium: Medium, prefix: String) {
        state = medium
        self.prefix = prefix
    }

    /// Whether a whole name is that of something that lies right in this folder.
    private func isHere(_ name: String) -> Bool {
        guard name.hasPrefix(prefix) else { return false }
        let rest = name.dropFirst(prefix.count)
        return !rest.isEmpty && !rest.dropLast().contains("/")
    }

    package var changes: Int { state.withLock { $0.changes } }

    /// What another machine would find after the power was cut now: names and bytes that were synced, and of the rest a random part.
    package func afterPowerCut(seed: UInt64) -> SimulatedDisk {
        var random = SplitMix64(seed: seed)
        var new = state.withLock { old in
            // From now on the old owner reaches nothing.
            old.powerCutAt = -1
            var new = State()
            new.nextFile = old.nextFile
            new.names = Bool.random(using: &random) ? old.durableNames : old.names
            // A file is gone with the name of its folder.
            let folders = Set(new.names.keys.filter { $0.hasSuffix("/") })
            new.names = new.names.filter { name, _ in
                guard let slash = name.dropLast().lastIndex(of: "/") else { return true }
                return folders.contains(String(name[...slash]))
            }
            for file in Set(new.names.values).sorted() {
                var left = Self.torn(old.files[file] ?? File(), &random)
                left.durable = left.bytes
                new.files[file] = left
            }
            new.capacity = old.capacity
            new.unsynced = old.unsynced
            return new
        }
        new.durableNames = new.names
        return SimulatedDisk(new)
    }

    private static func torn(_ file: File, _ random: inout SplitMix64) -> File {
        guard file.bytes.count > file.durable.count, file.bytes.starts(with: file.durable) else {
            return File(bytes: file.durable)
        }
        let kept = Int.random(in: file.durable.count...file.bytes.count, using: &random)
        var bytes = Array(file.bytes[..<kept])
        // Sectors of one write may reach the medium in any order: what lies between may be zeros.
        if kept > file.durable.count + 1, Bool.random(using: &random) {
            let hole = Int.random(in: file.durable.count..<kept, using: &random)
            for index in hole..<min(kept, hole + 512) { bytes[index] = 0 }
        }
        return File(bytes: bytes)
    }

    package func cutPower(at change: Int) { state.withLock { $0.powerCutAt = change } }
    package func fail(at change: Int, with error: StorageError) {
        state.withLock {
            $0.failAt = change
            $0.failure = error
        }
    }
    /// No more failures, and room enough; a power cut that is to come still comes.
    package func heal() {
        state.withLock {
            $0.failAt = .max
            $0.capacity = .max
        }
    }

    /// The power is gone.
    package var isOff: Bool { state.withLock { $0.changes >= $0.powerCutAt } }

    /// Flips one bit of one file that is whole on the medium.
    ///
    /// - Returns: `false` if there is nothing to flip.
    package func flipBit(_ random: inout some RandomNumberGenerator) -> Bool {
        let names = state.withLock { $0.names.keys.filter { !$0.hasSuffix("/") }.sorted() }
        guard let name = names.randomElement(using: &random), size(of: name) > 0 else {
            return false
        }
        flip(name, at: Int.random(in: 0..<size(of: name), using: &random))
        return true
    }

    /// Changes the bytes of a file, on the medium too.
    package func edit(_ name: String, _ change: (inout [UInt8]) -> Void) {
        state.withLock { state in
            guard let file = state.names[name], var bytes = state.files[file]?.bytes else { return }
            change(&bytes)
            state.files[file] = File(bytes: bytes, durable: bytes)
        }
    }

    /// Loses a file, as if somebody had deleted it.
    package func lose(_ name: String) { state.withLock { $0.names[name] = nil } }

    /// From now on files whose names begin so are not synced although they are told to.
    package func skipSync(of prefix: String) { state.withLock { $0.unsynced = prefix } }
    package func setCapacity(_ bytes: Int) { state.withLock { $0.capacity = bytes } }
    package func flip(_ name: String, at offset: Int) {
        state.withLock { state in
            guard let file = state.names[name] else { return }
            state.files[file]?.bytes[offset] ^= 0x40
            state.files[file]?.durable[offset] ^= 0x40
        }
    }
    package func cut(_ name: String, to size: Int) {
        state.withLock { state in
            guard let file = state.names[name] else { return }
            state.files[file]?.bytes.removeSubrange(size...)
            state.files[file]?.durable.removeSubrange(size...)
        }
    }
    package func size(of name: String) -> Int {
        state.withLock { state in state.names[name].flatMap { state.files[$0]?.bytes.count } ?? 0 }
    }
    package var used: Int { state.withLock { Self.used($0) } }

    /// A copy that shares nothing, as if the owner had just gone.
    package func copy() -> SimulatedDisk {
        var new = state.withLock { $0 }
        new.open = [:]
        new.powerCutAt = .max
        return SimulatedDisk(new)
    }

    // MARK: Storage

    package func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> FileID {
        let name = prefix + name
        return try change(isChange: mode == .create) { (state) throws(StorageError) in
            if mode == .create {
                let file = state.names[name] ?? state.nextFile
                if file == state.nextFile { state.nextFile += 1 }
                state.names[name] = file
                let durable = state.files[file]?.durable ?? []
                state.files[file] = File(bytes: [], durable: durable)
            }
            guard let file = state.names[name] else {
                throw StorageError(.missing, "open \(name): no such file")
            }
            state.nextHandle += 1
            state.open[state.nextHandle] = file
            return FileID(state.nextHandle)
        }
    }

    package func close(_ file: FileID) { state.withLock { $0.open[file.rawValue] = nil } }

    package func discard(_ file: FileID) { close(file) }

    package func append(_ bytes: UnsafeRawBufferPointer, to file: FileID) throws(StorageError) {
        let copy = Array(bytes)
        try change { (state) throws(StorageError) in
            let id = try Self.file(file, state)
            var target = state.files[id] ?? File()
            let grown = max(target.reserved, target.bytes.count + copy.count)
            let extra = grown - max(target.reserved, target.bytes.count)
            guard Self.used(state) + extra <= state.capacity else {
                throw StorageError(.full, "write: no space left on device")
            }
            target.bytes += copy
            state.files[id] = target
        }
    }

    package func sync(_ file: FileID) throws(StorageError) {
        try change { (state) throws(StorageError) in
            let id = try Self.file(file, state)
            let name = state.names.first { $0.value == id }?.key ?? ""
            if let unsynced = state.unsynced, name.hasPrefix(unsynced) { return }
            if let bytes = state.files[id]?.bytes { state.files[id]?.durable = bytes }
        }
    }

    package func read(_ file: FileID, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(StorageError) -> Int
    {
        let bytes = try change(isChange: false) { (state) throws(StorageError) in
            state.files[try Self.file(file, state)]?.bytes ?? []
        }
        guard offset < bytes.count else { return 0 }
        let count = min(buffer.count, bytes.count - offset)
        buffer.copyBytes(from: bytes[offset..<offset + count])
        return count
    }

    package func size(_ file: FileID) throws(StorageError) -> Int {
        try change(isChange: false) { (state) throws(StorageError) in
            state.files[try Self.file(file, state)]?.bytes.count ?? 0
        }
    }

    package func truncate(_ file: FileID, to size: Int) throws(StorageError) {
        try change { (state) throws(StorageError) in
            let id = try Self.file(file, state)
            var target = state.files[id] ?? File()
            if target.bytes.count > size { target.bytes.removeSubrange(size...) }
            target.reserved = min(size, target.reserved)
            state.files[id] = target
        }
    }

    package func reserve(_ file: FileID, upTo size: Int) throws(StorageError) {
        try change { (state) throws(StorageError) in
            let id = try Self.file(file, state)
            let target = state.files[id] ?? File()
            let extra = max(0, size - max(target.reserved, target.bytes.count))
            guard Self.used(state) + extra <= state.capacity else {
                throw StorageError(.full, "fallocate: no space left on device")
            }
            state.files[id]?.reserved = max(size, target.reserved)
        }
    }

    /// Any write may reach the medium before a sync: power cuts choose what has.
    package func writeBack(_ file: FileID, _ range: Range<Int>) {}

    package func punch(_ file: FileID, _ range: Range<Int>) {
        state.withLock { state in
            guard let id = state.open[file.rawValue], state.changes < state.powerCutAt else {
                return
            }
            // A hole reaches no further than the file.
            for index in range {
                if index < state.files[id]?.bytes.count ?? 0 { state.files[id]?.bytes[index] = 0 }
                if index < state.files[id]?.durable.count ?? 0 {
                    state.files[id]?.durable[index] = 0
                }
            }
        }
    }

    package func rename(_ from: String, to: String) throws(StorageError) {
        let prefix = prefix
        try change { (state) throws(StorageError) in
            guard let file = state.names.removeValue(forKey: prefix + from) else {
                throw StorageError(.missing, "rename \(from): no such file")
            }
            state.names[prefix + to] = file
        }
    }

    package func remove(_ name: String) throws(StorageError) {
        let name = prefix + name
        try change { (state) throws(StorageError) in
            guard state.names.removeValue(forKey: name) != nil else {
                throw StorageError(.missing, "unlink \(name): no such file")
            }
        }
    }

    package func names() throws(StorageError) -> [String] {
        let all = try change(isChange: false) { (state) throws(StorageError) in
            state.names.keys.sorted()
        }
        return all.filter { isHere($0) }.map { name in
            String(name.dropFirst(prefix.count).prefix { $0 != "/" })
        }
    }

    package func syncFolder() throws(StorageError) {
        try change { (state) throws(StorageError) in
            state.durableNames = state.durableNames.filter { !isHere($0.key) }
            for (name, file) in state.names where isHere(name) { state.durableNames[name] = file }
        }
    }

    package func subfolder(_ name: String, making: Bool) throws(StorageError) -> SimulatedDisk {
        let path = prefix + name + "/"
        let isThere = try change(isChange: false) { (state) throws(StorageError) in
            state.names[path] != nil
        }
        if !isThere {
            guard making else { throw StorageError(.missing, "open \(name): no such folder") }
            try change { (state) throws(StorageError) in
                state.names[path] = state.nextFile
                state.files[state.nextFile] = File()
                state.nextFile += 1
            }
        }
        return SimulatedDisk(state, prefix: path)
    }

    package func removeSubfolder(_ name: String) throws(StorageError) {
        let folder = try subfolder(name, making: false)
        for file in try folder.names() { try folder.remove(file) }
        let path = prefix + name + "/"
        try change { (state) throws(StorageError) in state.names[path] = nil }
    }

    package func release() {}

    private func change<Value: Sendable>(
        isChange: Bool = true,
        _ body: (inout State) throws(StorageError) -> Value
    ) throws(StorageError) -> Value {
        let result: Result<Value, StorageError> = state.withLock { state in
            if state.changes >= state.powerCutAt {
                return .failure(StorageError(.other, "the power is gone"))
            }
            if isChange {
                state.changes += 1
                if state.changes - 1 == state.failAt { return .failure(state.failure) }
            }
            do throws(StorageError) { return .success(try body(&state)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func file(_ file: FileID, _ state: State) throws(StorageError) -> Int {
        guard let id = state.open[file.rawValue] else {
            throw StorageError(.other, "bad file descriptor")
        }
        return id
    }

    private static func used(_ state: State) -> Int {
        Set(state.names.values).reduce(0) { sum, id in
            let file = state.files[id] ?? File()
            return sum + max(file.reserved, file.bytes.count)
        }
    }
}
