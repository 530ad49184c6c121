#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A real file system of a few MiB, in memory: where the machine lets the tests mount one (Linux, as root). Elsewhere only the simulated disk runs full.
final class SmallDisk: Sendable {
    let path: String

    static let isPossible: Bool = {
        #if os(Linux)
        guard let disk = SmallDisk(bytes: 1 << 20) else { return false }
        return !disk.path.isEmpty
        #else
        return false
        #endif
    }()

    /// `nil` where it cannot be mounted.
    init?(bytes: Int) {
        #if os(Linux)
        var template = Array("/tmp/belfry-disk-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 else {
            rmdir(path)
            return nil
        }
        #else
        return nil
        #endif
    }

    deinit {
        #if os(Linux)
        umount(path)
        rmdir(path)
        #endif
    }

    /// Takes all the room that is left, but for `spare` bytes.
    func fill(leaving spare: Int = 0) {
        var info = statvfs()
        guard statvfs(path, &info) == 0 else { return }
        let free = Int(info.f_bavail) * Int(info.f_frsize)
        let file = open(path + "/filler", O_WRONLY | O_CREAT, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        #if os(Linux)
        posix_fallocate(file, 0, off_t(max(0, free - spare)))
        #endif
    }

    func empty() { unlink(path + "/filler") }
}
