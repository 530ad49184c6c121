import BelfryCore
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that only grows. Its calls block.
final class LogFile: Sendable {
    private let path: String
    /// -1: not open. One writer at a time, so that a failed batch can be taken back.
    private let descriptor = Mutex<CInt>(-1)

    init(path: String) { self.path = path }

    deinit {
        let descriptor = descriptor.withLock { $0 }
        if descriptor >= 0 { close(descriptor) }
    }

    /// Writes all lines and syncs, or takes back what was written.
    func append(_ lines: [UInt8]) -> SendOutcome {
        descriptor.withLock { descriptor in
            if descriptor >= 0, !isInPlace(descriptor) {
                close(descriptor)
                descriptor = -1
            }
            if descriptor < 0 {
                descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
            }
            guard descriptor >= 0 else { return Self.unwritten("open") }
            let start = lseek(descriptor, 0, SEEK_END)
            guard start >= 0 else { return Self.unwritten("seek") }
            guard Self.write(lines, to: descriptor) else {
                let outcome = Self.unwritten("write")
                // Half a batch would be doubled by the next attempt.
                if ftruncate(descriptor, start) != 0 { return .unknown(cause: Self.cause("write")) }
                return outcome
            }
            // What a failed sync has left on disk nobody can say.
            guard fsync(descriptor) == 0 else { return .unknown(cause: Self.cause("sync")) }
            return .sent(reference: nil)
        }
    }

    /// Whether the open file still lies at the path: whoever rotates logs moves it away, and the next batch begins a new one.
    private func isInPlace(_ descriptor: CInt) -> Bool {
        var open = stat()
        var there = stat()
        return fstat(descriptor, &open) == 0 && stat(path, &there) == 0
            && open.st_ino == there.st_ino && open.st_dev == there.st_dev
    }

    private static func write(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                #if canImport(Glibc)
                let count = Glibc.write(descriptor, part.baseAddress, part.count)
                #elseif canImport(Musl)
                let count = Musl.write(descriptor, part.baseAddress, part.count)
                #else
                let count = Darwin.write(descriptor, part.baseAddress, part.count)
                #endif
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    private static func unwritten(_ step: String) -> SendOutcome {
        .unreachable(after: nil, cause: cause(step))
    }

    private static func cause(_ step: String) -> SendCause {
        SendCause(
            code: "log_\(step)",
            message: "the log file: \(String(cString: strerror(errno)))",
            remedy: "make room, or correct the path and its permissions"
        )
    }
}
