#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Keeps servers out of a data folder while it is looked at, without writing to it.
final class FolderLock: Sendable {
    private let descriptor: Int32
    /// Whether a server holds the folder.
    let isHeldElsewhere: Bool

    init(path: String) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        isHeldElsewhere =
            descriptor >= 0 && flock(descriptor, LOCK_SH | LOCK_NB) != 0
            && errno == EWOULDBLOCK
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
