import BelfryJournal
import Crypto
import FoundationEssentials
import Synchronization

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
///     intents/         what a Redis has confirmed and its replicas may not have yet
///     media/<account>/ files that flows name
///     secret.key       seals secrets at rest; 0600
///     admin.key        the first API key, made at the first start; 0600
///     node-id          names this server where several share a timeline; made when first needed
///     places           where pushes and records are, if they are elsewhere
package struct DataFolder: Sendable {
    package let path: String
    /// It held nothing before this start.
    private let wasEmpty: Bool
    /// The folders that this start made, the innermost first.
    private let made: [String]
    private let keeping = Keeping()

    private final class Keeping: Sendable { let isOn = Atomic(false) }

    /// Makes the folder where there is none; nobody else may look into it.
    ///
    /// - Throws: ``StartFailure`` where it cannot be made or written.
    package init(path: String) throws(StartFailure) {
        self.path = path
        made = Self.missing(path)
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw StartFailure(
                .cannotCreate,
                "The data folder \(path) cannot be made: \(systemWords(error)). Choose another with "
                    + "data.folder (--data-folder), or give the user of the server access."
            )
        }
        guard access(path, W_OK | X_OK) == 0 else {
            throw StartFailure(
                .cannotCreate,
                "The data folder \(path) cannot be written. Belfry keeps every accepted push "
                    + "there: give the user of the server write access, or choose another folder."
            )
        }
        // What cannot be listed is left alone.
        wasEmpty = (try? FileManager.default.contentsOfDirectory(atPath: path).isEmpty) ?? false
    }

    private static func missing(_ path: String) -> [String] {
        var missing: [String] = []
        var rest = path[...]
        while !rest.isEmpty, !FileManager.default.fileExists(atPath: String(rest)) {
            missing.append(String(rest))
            rest = rest.lastIndex(of: "/").map { rest[..<$0] } ?? ""
        }
        return missing
    }

    /// It stays, whatever becomes of this start: somebody else is about to know its records by name, and refuses others from then on.
    func keep() { keeping.isOn.store(true, ordering: .relaxed) }

    /// Removes what this start made, for a start that failed before anybody could be served. A folder that held anything before is
    /// left as it is, and so is one that another server has taken meanwhile, or that is to be kept.
    func discard() {
        guard wasEmpty, !keeping.isOn.load(ordering: .relaxed) else { return }
        // Whoever owns the timeline owns the folder.
        guard let lock = try? DiskStorage(folder: timeline) else { return }
        for file in [
            records, "\(records)-wal", "\(records)-shm", secretKeyFile, adminKeyFile, nodeIDFile,
            placesFile,
        ] {
            unlink(file)
        }
        // What cannot be removed stays behind; the next start finds its way with it.
        try? FileManager.default.removeItem(atPath: timeline)
        try? FileManager.default.removeItem(atPath: intents)
        for folder in made { rmdir(folder) }
        lock.release()
    }

    private var secretKeyFile: String { "\(path)/secret.key" }
    private var adminKeyFile: String { "\(path)/admin.key" }
    private var nodeIDFile: String { "\(path)/node-id" }
    var placesFile: String { "\(path)/places" }

    package var timeline: String { "\(path)/timeline" }
    package var intents: String { "\(path)/intents" }
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
                    .damaged,
                    "\(file) is missing, but \(records) was sealed with it. "
                        + "Put the key file back from a backup (secret.key-file says where it is)."
                )
            }
            let key = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
            try Self.writePrivate(
                key.base64EncodedString() + "\n",
                to: file,
                setting: "secret.key-file"
            )
        }
        do {
            return try Self.decode(try String(contentsOfFile: file, encoding: .utf8), from: file)
        } catch let failure as StartFailure {
            throw failure
        } catch {
            throw StartFailure(
                .misconfigured,
                "\(file) (secret.key-file) cannot be read: \(systemWords(error))"
            )
        }
    }

    /// The name by which a shared timeline knows this server across restarts. A copy of the folder must not run beside it.
    func nodeID() throws(StartFailure) -> String {
        if !FileManager.default.fileExists(atPath: nodeIDFile) {
            let id = UUID().uuidString.lowercased()
            try Self.writePrivate(id + "\n", to: nodeIDFile, setting: "data.folder")
        }
        let text: String
        do { text = try String(contentsOfFile: nodeIDFile, encoding: .utf8) } catch {
            throw StartFailure(.damaged, "\(nodeIDFile) cannot be read: \(systemWords(error))")
        }
        let id = text.filter { !$0.isWhitespace }
        guard 1...64 ~= id.utf8.count else {
            throw StartFailure(
                .damaged,
                "\(nodeIDFile) does not hold a name of 1 to 64 bytes. Remove it: the next start makes another."
            )
        }
        return id
    }

    private static func decode(_ text: String, from place: String) throws(StartFailure) -> [UInt8] {
        let trimmed = text.filter { !$0.isWhitespace }
        guard let data = Data(base64Encoded: trimmed), data.count == 32 else {
            throw StartFailure(
                .misconfigured,
                "\(place) does not hold 32 bytes in base64. `head -c 32 /dev/urandom | base64` makes "
                    + "such a key; with records that were sealed already, only their own will do."
            )
        }
        return Array(data)
    }

    /// Writes a file that only its owner can read; never replaces one.
    ///
    /// - Parameter setting: decides where it lies.
    static func writePrivate(_ text: String, to path: String, setting: String)
        throws(StartFailure)
    {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else {
            throw StartFailure(
                .cannotCreate,
                errno == EEXIST
                    ? "\(path) (\(setting)) exists, but the records know no API key: it belongs to another folder. Move it away."
                    : "\(path) (\(setting)) cannot be made: \(String(cString: strerror(errno)))"
            )
        }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
            throw StartFailure(
                .cannotCreate,
                "\(path) (\(setting)) cannot be written: \(String(cString: strerror(errno)))"
            )
        }
    }
}

/// Why a server could not start, and what to do.
package struct StartFailure: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// Something cannot be made or written.
        case cannotCreate
        case misconfigured
        /// The data folder lacks something that cannot be made anew.
        case damaged
    }

    package var kind: Kind
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
