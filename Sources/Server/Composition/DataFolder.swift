import Crypto
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder that holds everything a server keeps:
///
///     timeline/        the journal and its runs
///     records.sqlite   accounts, people, flows, history
///     media/<account>/ files that flows name
///     secret.key       seals secrets at rest; 0600
///     admin.key        the first API key, made at the first start; 0600
package struct DataFolder: Sendable {
    package let path: String

    /// Makes the folder where there is none; nobody else may look into it.
    ///
    /// - Throws: ``StartFailure`` where it cannot be made or written.
    package init(path: String) throws(StartFailure) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw StartFailure(
                "The data folder \(path) cannot be made: \(error). "
                    + "Choose another with data.folder, or give the user of the server access."
            )
        }
        guard access(path, W_OK | X_OK) == 0 else {
            throw StartFailure(
                "The data folder \(path) cannot be written. Belfry keeps every accepted push "
                    + "there: give the user of the server write access, or choose another folder."
            )
        }
    }

    package var timeline: String { "\(path)/timeline" }
    package var records: String { "\(path)/records.sqlite" }
    package var media: String { "\(path)/media" }

    /// The key that seals secrets at rest: from the configuration, or from its file, which is made at the first start.
    package func secretKey(_ configuration: ServerConfiguration) throws(StartFailure) -> [UInt8] {
        if !configuration.secret.key.isEmpty {
            return try Self.decode(configuration.secret.key, from: "secret.key")
        }
        let file = configuration.secretKeyFile
        if !FileManager.default.fileExists(atPath: file) {
            // A folder with records but without its key must not get a new one: the old secrets could never be read.
            guard !FileManager.default.fileExists(atPath: records) else {
                throw StartFailure(
                    "\(file) is missing, but \(records) was sealed with it. "
                        + "Put the key file back from a backup."
                )
            }
            let key = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
            try Self.writePrivate(key.base64EncodedString() + "\n", to: file)
        }
        do {
            return try Self.decode(try String(contentsOfFile: file, encoding: .utf8), from: file)
        } catch let failure as StartFailure {
            throw failure
        } catch {
            throw StartFailure("\(file) cannot be read: \(error)")
        }
    }

    private static func decode(_ text: String, from place: String) throws(StartFailure) -> [UInt8] {
        let trimmed = text.filter { !$0.isWhitespace }
        guard let data = Data(base64Encoded: trimmed), data.count == 32 else {
            throw StartFailure("\(place) does not hold 32 bytes in base64")
        }
        return Array(data)
    }

    /// Writes a file that only its owner can read; never replaces one.
    static func writePrivate(_ text: String, to path: String) throws(StartFailure) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else {
            throw StartFailure("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
            throw StartFailure("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }
}

/// Why a server could not start, and what to do.
package struct StartFailure: Error, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
