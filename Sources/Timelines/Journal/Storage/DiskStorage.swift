package import BelfryCore
import CBelfryDisk
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A folder on a real disk, owned by one process at a time (`flock` on the file `LOCK`).
package final class DiskStorage: Storage {
    package let folder: String
    private let folderHandle: Int32
    private let lock: FolderLock
    private let isReleased = Mutex(false)

    /// Takes ownership of a folder.
    ///
    /// - Parameter making: make it where it is missing.
    /// - Throws: ``TimelineError`` with `locked` if another process (or another timeline of this one) owns it, `io` if it cannot be
    ///   written to.
    package init(folder: String, making: Bool = true) throws(TimelineError) {
        self.folder = folder
        do throws(StorageError) {
            if making { try Self.makeFolders(folder) }
            folderHandle = try Self.call("open", folder) {
                Self.openFile(folder, O_RDONLY | O_DIRECTORY)
            }
        } catch {
            throw TimelineError(error)
        }
        let handle = openat(folderHandle, "LOCK", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard handle >= 0 else {
            let error = Self.failure("open", folder + "/LOCK")
            _ = Self.closeFile(folderHandle)
            throw TimelineError(error)
        }
        guard flock(handle, LOCK_EX | LOCK_NB) == 0 else {
            _ = Self.closeFile(handle)
            _ = Self.closeFile(folderHandle)
            throw TimelineError(.locked, "\(folder) is in use by another process")
        }
        lock = FolderLock(handle)
    }

    private init(folder: String, handle: Int32, lock: FolderLock) {
        self.folder = folder
        folderHandle = handle
        self.lock = lock
        lock.join()
    }

    deinit {
        release()
        _ = Self.closeFile(folderHandle)
    }

    package func open(_ name: String, _ mode: OpenMode) throws(StorageError) -> FileID {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .create: O_RDWR | O_CREAT | O_TRUNC | O_APPEND
            case .update: O_RDWR | O_APPEND
            }
        let handle = try Self.call("open", name) {
            openat(folderHandle, name, flags | O_CLOEXEC, 0o644)
        }
        return FileID(handle)
    }

    package func close(_ file: FileID) { _ = Self.closeFile(file.rawValue) }

    package func discard(_ file: FileID) {
        let step = 1 << 20
        var info = stat()
        // What was set aside behind the end of the file goes back, too.
        if fstat(file.rawValue, &info) == 0 {
            var left = max(Int(info.st_size), Int(info.st_blocks) * 512)
            while left > step {
                left -= step
                // Only spreads work: closing does what is left.
                guard ftruncate(file.rawValue, off_t(left)) == 0 else { break }
                // Syncs that wait have their turn.
                usleep(10_000)
            }
        }
        close(file)
    }

    package func append(_ bytes: UnsafeRawBufferPointer, to file: FileID) throws(StorageError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try Self.call("write", "") {
                write(file.rawValue, rest.baseAddress, rest.count)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    package func sync(_ file: FileID) throws(StorageError) {
        #if os(Linux)
        _ = try Self.call("fdatasync", "") { fdatasync(file.rawValue) }
        #else
        // On Darwin only F_FULLFSYNC reaches the medium.
        _ = try Self.call("fsync", "") { fcntl(file.rawValue, F_FULLFSYNC) }
        #endif
    }

    package func writeBack(_ file: FileID, _ range: Range<Int>) {
        // Only spreads work: what fails here fails again in the sync.
        belfry_write_back(file.rawValue, Int64(range.lowerBound), Int64(range.count))
    }

    package func read(_ file: FileID, at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(StorageError) -> Int
    {
        var done = 0
        while done < buffer.count {
            let count = try Self.call("read", "") {
                pread(
                    file.rawValue,
                    buffer.baseAddress.map { $0 + done },
                    buffer.count - done,
                    off_t(offset + done)
                )
            }
            if count == 0 { break }
            done += count
        }
        return done
    }

    package func size(_ file: FileID) throws(StorageError) -> Int {
        var info = stat()
        _ = try Self.call("fstat", "") { fstat(file.rawValue, &info) }
        return Int(info.st_size)
    }

    package func truncate(_ file: FileID, to size: Int) throws(StorageError) {
        _ = try Self.call("ftruncate", "") { ftruncate(file.rawValue, off_t(size)) }
    }

    package func reserve(_ file: FileID, upTo size: Int) throws(StorageError) {
        let code = belfry_reserve(file.rawValue, Int64(size))
        if code == ENOSPC || code == EDQUOT || code == EFBIG {
            throw Self.failure("fallocate", "", code)
        }
        guard code != 0 else { return }
        // The file system cannot set room aside: the best that can be said is what is free now.
        var info = statvfs()
        guard fstatvfs(file.rawValue, &info) == 0 else { return }
        let free = Int(info.f_bavail) * Int(info.f_frsize)
        let used = try self.size(file)
        if free < size - used { throw StorageError(.full, "no space left on the device") }
    }

    package func punch(_ file: FileID, _ range: Range<Int>) {
        // Only saves room, so that a refusal costs nothing.
        _ = belfry_punch(file.rawValue, Int64(range.lowerBound), Int64(range.count))
    }

    package func rename(_ from: String, to: String) throws(StorageError) {
        _ = try Self.call("rename", from) { renameat(folderHandle, from, folderHandle, to) }
    }

    package func remove(_ name: String) throws(StorageError) {
        _ = try Self.call("unlink", name) { unlinkat(folderHandle, name, 0) }
    }

    package func names() throws(StorageError) -> [String] { try Self.names(in: folder) }

    package func subfolder(_ name: String, making: Bool) throws(StorageError) -> DiskStorage {
        if making, mkdirat(folderHandle, name, 0o755) != 0, errno != EEXIST {
            throw Self.failure("mkdir", name)
        }
        let handle = try Self.call("open", name) {
            openat(folderHandle, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }
        return DiskStorage(folder: "\(folder)/\(name)", handle: handle, lock: lock)
    }

    package func removeSubfolder(_ name: String) throws(StorageError) {
        for file in try Self.names(in: "\(folder)/\(name)") {
            _ = try Self.call("unlink", file) { unlinkat(folderHandle, "\(name)/\(file)", 0) }
        }
        _ = try Self.call("rmdir", name) { unlinkat(folderHandle, name, Int32(AT_REMOVEDIR)) }
    }

    package func release() {
        let wasReleased = isReleased.withLock { isReleased in
            defer { isReleased = true }
            return isReleased
        }
        if !wasReleased { lock.leave() }
    }

    package func syncFolder() throws(StorageError) {
        _ = try Self.call("fsync", folder) { fsync(folderHandle) }
    }
}

/// The lock on a folder, held until everybody who works in it or in a folder of it has let go.
private final class FolderLock: Sendable {
    private let handle: Int32
    private let users = Mutex(1)

    init(_ handle: Int32) { self.handle = handle }

    deinit { close(handle) }

    func join() { users.withLock { $0 += 1 } }

    func leave() {
        let left = users.withLock { users in
            users -= 1
            return users
        }
        if left == 0 { flock(handle, LOCK_UN) }
    }
}

extension DiskStorage {
    package static func names(in folder: String) throws(StorageError) -> [String] {
        guard let stream = opendir(folder) else { throw failure("opendir", folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    fileprivate static func makeFolders(_ path: String) throws(StorageError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part
            guard mkdir(made, 0o755) == 0 || errno == EEXIST || errno == EISDIR || errno == EROFS
            else {
                throw failure("mkdir", made)
            }
            made += "/"
        }
    }

    /// Repeats a call that a signal interrupted, and turns -1 into an error.
    fileprivate static func call<Count: BinaryInteger>(
        _ name: String,
        _ file: String,
        _ body: () -> Count
    ) throws(StorageError) -> Count {
        while true {
            let result = body()
            if result >= 0 { return result }
            if errno != EINTR { throw failure(name, file) }
        }
    }

    fileprivate static func failure(
        _ call: String,
        _ file: String,
        _ code: Int32 = errno
    ) -> StorageError {
        let kind: StorageError.Kind =
            switch code {
            case ENOSPC, EDQUOT, EFBIG: .full
            case ENOENT: .missing
            case EROFS, EACCES, EPERM: .readOnly
            default: .other
            }
        let words = String(cString: strerror(code))
        return StorageError(kind, file.isEmpty ? "\(call): \(words)" : "\(call) \(file): \(words)")
    }

    fileprivate static func openFile(_ path: String, _ flags: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.open(path, flags | O_CLOEXEC)
        #elseif canImport(Musl)
        Musl.open(path, flags | O_CLOEXEC)
        #else
        Darwin.open(path, flags | O_CLOEXEC)
        #endif
    }

    fileprivate static func closeFile(_ handle: Int32) -> Int32 {
        #if canImport(Glibc)
        Glibc.close(handle)
        #elseif canImport(Musl)
        Musl.close(handle)
        #else
        Darwin.close(handle)
        #endif
    }
}

extension TimelineError {
    /// The word at the timeline's border for what a disk said.
    package init(_ error: StorageError) {
        let code: Code =
            switch error.kind {
            case .full: .full
            case .locked: .locked
            case .missing, .readOnly, .other: .io
            }
        self.init(code, error.message)
    }
}
