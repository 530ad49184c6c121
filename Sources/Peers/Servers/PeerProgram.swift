import BelfryBench
package import Foundation

/// How a server is started, and how it is known to be up.
package struct PeerProgram {
    package var name: String
    package var path: String
    package var arguments: [String]
    package var environment: [String: String] = [:]
    /// For its data and its log; exists.
    package var folder: String
    package var stopSignal = SIGTERM
    /// The system's user for it, where it refuses to run as root; used by root alone.
    package var user: String?
    /// Returns once the server answers on the port, and throws before.
    package var greet: @Sendable (Int) throws -> Void = { _ = try ByteStream(port: $0) }

    package init(
        _ name: String,
        path: String,
        arguments: [String],
        folder: String
    ) {
        self.name = name
        self.path = path
        self.arguments = arguments
        self.folder = folder
    }

    /// Starts it; what it says goes into a file of its folder.
    package func start() throws -> Process {
        let process = Process()
        let command = unprivileged([path] + arguments)
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        // Settings of the caller's own Belfry are none of this program's.
        process.environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("BELFRY_") }
            .merging(environment) { _, ours in ours }
        process.currentDirectoryURL = URL(filePath: folder)
        guard FileManager.default.createFile(atPath: log, contents: nil) || exists(log) else {
            throw LoadFailure("\(log) cannot be written")
        }
        let output = try FileHandle(forWritingTo: URL(filePath: log))
        try output.seekToEnd()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try Self.withOpenSignals { try process.run() }
        return process
    }

    /// A process inherits which signals are blocked, and on the threads of Swift's tasks all of them are: it could not be asked to end.
    private static func withOpenSignals(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    /// Runs a program that ends by itself, such as one that lays out a data folder.
    package func run() throws {
        let process = try start()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw LoadFailure("\(name) failed: \(endOfLog)")
        }
    }

    package var endOfLog: String {
        // A log that cannot be read says nothing; the caller's error says the rest.
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return String(text.suffix(1000))
    }

    private var log: String { "\(folder)/\(name).log" }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// The same process under another user, where this one is root and the server refuses that.
    private func unprivileged(_ command: [String]) -> [String] {
        guard let user, geteuid() == 0 else { return command }
        return ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
            + command
    }
}

/// Finds the programs of installed packages.
package enum Installed {
    /// The path of a program.
    ///
    /// - Parameters:
    ///   - package: of Debian; named to who has to install it.
    ///   - folders: searched besides the path of the environment.
    /// - Throws: ``LoadFailure`` that says how to install it.
    package static func program(_ name: String, package: String, in folders: [String] = [])
        throws -> String
    {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let places = folders + path.split(separator: ":").map(String.init) + ["/usr/sbin"]
        let found = places.map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else {
            throw LoadFailure(
                "\(name) is not installed: run `scripts/install-dependencies bench`, or `apt-get install \(package)`"
            )
        }
        return found
    }
}
