package import BelfryPostgresClient
import BelfryRedisProcess
import Foundation
import Synchronization

/// A PostgreSQL server of the test's own: on loopback, a port that nobody uses and a temporary folder; stopped by its process id when the
/// test lets go of it. Commits are synced, as everywhere.
package final class PostgresProcess: Sendable {
    package let port: Int
    private let folder: String
    private let process = Mutex<Process?>(nil)

    /// Lays out a cluster, starts it, and waits until it takes connections.
    ///
    /// - Throws: ``ServerMissing``, which says what to install.
    package init() async throws {
        port = try freePort()
        folder = NSTemporaryDirectory() + "belfry-postgres-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.give(folder)
        let layout = [
            try Self.program("initdb"), "-D", folder + "/data", "-U", "belfry", "-A", "trust", "-E",
            "UTF8", "--no-locale", "--no-sync",
        ]
        let status = try await run("/usr/bin/env", Self.unprivileged(layout))
        guard status == 0 else {
            throw ServerMissing(description: "initdb ended with \(status) in \(folder)")
        }
        try await restart()
    }

    deinit { remove() }

    package func address(_ database: String = "postgres") -> String {
        "postgres://belfry@127.0.0.1:\(port)/\(database)"
    }

    /// A connection of its own, for what a test does besides.
    package func connection() throws -> PostgresConnection {
        try PostgresConnection(try PostgresAddress(address()), PostgresSettings())
    }

    /// Ends it for good, with what it has on disk.
    package func remove() {
        kill()
        // A test's leavings, in a temporary folder.
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Ends all its processes at once, without a farewell to its clients or to its disk ("immediate shutdown").
    package func kill() {
        process.withLock { process in
            guard let running = process else { return }
            process = nil
            guard running.isRunning else { return }
            Foundation.kill(running.processIdentifier, SIGCONT)
            Foundation.kill(running.processIdentifier, SIGQUIT)
            running.waitUntilExit()
        }
    }

    /// Starts it with what lies in its folder, and waits until it takes connections.
    package func restart() async throws {
        for _ in 0..<1500 {
            let isRunning = try process.withLock { process in
                if process?.isRunning != true { process = try start() }
                return process?.isRunning == true
            }
            if isRunning, await answers() { return }
            // Another process needs its time to start; nothing but trying tells when it is there.
            try await Task.sleep(for: .milliseconds(40))
        }
        throw ServerMissing(description: "PostgreSQL does not answer on port \(port)")
    }

    /// Whether it takes connections. Waits on a thread of its own: those that tests share are few.
    private func answers() async -> Bool {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                continuation.resume(returning: (try? connection()) != nil)
            }
        }
    }

    private func start() throws -> Process {
        let settings = [
            "listen_addresses=127.0.0.1", "unix_socket_directories=", "port=\(port)", "fsync=on",
            "shared_buffers=16MB", "max_connections=400", "max_wal_size=64MB",
        ]
        let words =
            [try Self.program("postgres"), "-D", folder + "/data"]
            + settings.flatMap { ["-c", $0] }
        return try Self.process("/usr/bin/env", Self.unprivileged(words))
    }

    // MARK: Programs

    /// PostgreSQL refuses to run as root: its own user does it then.
    private static func unprivileged(_ words: [String]) -> [String] {
        guard geteuid() == 0 else { return words }
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] + words
    }

    private static func give(_ folder: String) throws {
        guard geteuid() == 0 else { return }
        guard let entry = getpwnam("postgres"),
            chown(folder, entry.pointee.pw_uid, entry.pointee.pw_gid) == 0
        else {
            throw ServerMissing(
                description: "there is no user postgres: run scripts/install-dependencies test"
            )
        }
    }

    /// Debian keeps each major version in a folder of its own, none of them on the path.
    private static func program(_ name: String) throws -> String {
        let base = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
        for version in versions.sorted(by: { (Int($0) ?? 0) > (Int($1) ?? 0) }) {
            let path = "\(base)/\(version)/bin/\(name)"
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        return try BelfryRedisProcess.program(name)
    }

    private static func process(_ path: String, _ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: "/")
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/null")
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
        return process
    }

    /// Waits on a thread of its own: those that tests share are few.
    private func run(_ path: String, _ arguments: [String]) async throws -> Int32 {
        let process = try Self.process(path, arguments)
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                process.waitUntilExit()
                continuation.resume(returning: process.terminationStatus)
            }
        }
    }
}
