import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Asks the file system before SQLite does: SQLite says "unable to open database file" for a dozen different troubles.
enum FileAccess {
    static func prepare(_ path: String) throws(RecordsError) {
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty {
            do {
                try FileManager.default.createDirectory(
                    atPath: folder,
                    withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700]
                )
            } catch {
                throw RecordsError(code(error), "cannot make the folder \(folder): \(error)")
            }
        }
        // The file holds people's data: nobody else on the machine reads it.
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let number = errno
            throw RecordsError(
                code(number),
                "cannot open \(path): \(String(cString: strerror(number)))"
            )
        }
        close(descriptor)
        guard access(folder.isEmpty ? "." : folder, W_OK) == 0 else {
            let number = errno
            throw RecordsError(
                code(number),
                "cannot write in \(folder): \(String(cString: strerror(number)))"
            )
        }
    }

    private static func code(_ error: any Error) -> RecordsError.Code {
        switch (error as? CocoaError)?.code {
        case .fileWriteNoPermission?, .fileWriteVolumeReadOnly?: .readOnly
        case .fileWriteOutOfSpace?: .full
        default: .io
        }
    }

    private static func code(_ number: Int32) -> RecordsError.Code {
        switch number {
        case EACCES, EPERM, EROFS: .readOnly
        case ENOSPC, EDQUOT: .full
        default: .io
        }
    }
}
