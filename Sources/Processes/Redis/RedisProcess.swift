import Foundation
import Synchronization

/// A redis-server, or another server of its protocol, of the test's own: on loopback, a port that nobody uses and a temporary folder; stopped by its process id when the
/// test lets go of it.
package final class RedisProcess: Sendable {
    package let port: Int
    package let folder: String
    private let arguments: [String]
    private let process: Mutex<Process>

    /// Starts one with a journal that is synced before every answer.
    ///
    /// - Throws: ``ServerMissing``, which says what to install.
    package init(_ arguments: [String] = []) throws {
        port = try freePort()
        folder = NSTemporaryDirectory() + "belfry-redis-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.arguments =
            [
                "--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "",
                "--appendonly", "yes", "--appendfsync", "always", "--daemonize", "no",
                "--hash-max-listpack-value", "1024", "--hash-max-listpack-entries", "512",
            ] + arguments
        process = Mutex(try Self.start(self.arguments))
    }

    /// Starts a sentinel, one of those of whom two must agree.
    ///
    /// - Parameters:
    ///   - primary: the port of the server that it watches.
    ///   - downAfter: milliseconds without a word from a server after which it is taken for dead.
    package init(sentinelOf primary: Int, name: String, downAfter: Int) throws {
        port = try freePort()
        folder = NSTemporaryDirectory() + "belfry-sentinel-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // It writes down there what it learns.
        let file = "\(folder)/sentinel.conf"
        try """
        port \(port)
        bind 127.0.0.1
        dir \(folder)
        sentinel monitor \(name) 127.0.0.1 \(primary) 2
        sentinel down-after-milliseconds \(name) \(downAfter)
        sentinel failover-timeout \(name) \(10 * downAfter)

        """.write(toFile: file, atomically: true, encoding: .utf8)
        arguments = [file, "--sentinel"]
        process = Mutex(try Self.start(arguments))
    }

    deinit { remove() }

    /// Ends it for good, with what it has on disk.
    package func remove() {
        kill()
        // A test's leavings, in a temporary folder.
        try? FileManager.default.removeItem(atPath: folder)
    }

    package var address: String { "redis://127.0.0.1:\(port)" }

    /// Ends it without a farewell.
    package func kill() { process.withLock { Self.kill($0) } }

    /// Starts it again with what lies in its folder.
    package func restart() throws {
        try process.withLock { $0 = try Self.start(arguments) }
    }

    /// Stops it where it stands: connections stay, nobody answers.
    package func freeze() {
        process.withLock { _ = Foundation.kill($0.processIdentifier, SIGSTOP) }
    }

    package func thaw() { process.withLock { _ = Foundation.kill($0.processIdentifier, SIGCONT) } }

    private static func kill(_ process: Process) {
        guard process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    private static func start(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: try server())
        process.arguments = arguments
        process.standardOutput = FileHandle(forWritingAtPath: "/dev/null")
        process.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try process.run()
        return process
    }
}

extension RedisProcess {
    /// The program that is started: the one that `BELFRY_REDIS_SERVER` names, such as a valkey-server, or else the installed redis-server.
    package static func server() throws -> String {
        guard let named = ProcessInfo.processInfo.environment["BELFRY_REDIS_SERVER"] else {
            return try program("redis-server")
        }
        guard FileManager.default.isExecutableFile(atPath: named) else {
            throw ServerMissing(
                description: "BELFRY_REDIS_SERVER: \(named) is no program that may be run"
            )
        }
        return named
    }

    /// What redis-cli prints for a command; empty where the server does not answer yet.
    @discardableResult
    package func command(_ words: String...) async throws -> String {
        try await run("redis-cli", ["-p", String(port)] + words).output
    }

    /// Waits until it takes commands.
    package func answers() async throws {
        for _ in 0..<500 {
            if try await command("PING").hasPrefix("PONG") { return }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// Runs a program to its end. Waits on a thread of its own: those that tests share are few.
package func run(_ name: String, _ arguments: [String]) async throws -> (
    output: String, status: Int32
) {
    let process = Process()
    process.executableURL = URL(filePath: try program(name))
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle(forWritingAtPath: "/dev/null")
    try process.run()
    return await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
            let output = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            let text = String(decoding: output, as: UTF8.self)
            continuation.resume(returning: (text, process.terminationStatus))
        }
    }
}

/// A server program that the tests need is not installed.
package struct ServerMissing: Error, CustomStringConvertible {
    package var description: String

    package init(description: String) { self.description = description }
}

/// Where a program lies.
package func program(_ name: String) throws -> String {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    for folder in folders + ["/opt/homebrew/bin", "/usr/local/bin"] {
        let path = "\(folder)/\(name)"
        if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw ServerMissing(
        description: "\(name) is not installed: run scripts/install-dependencies test"
    )
}

/// A port of 127.0.0.1 that nobody uses, nor the one 10,000 above, where servers of a cluster talk to each other. Both below those
/// that the system gives to outgoing connections.
package func freePort() throws -> Int {
    for _ in 0..<10_000 {
        let port = 12_000 + nextPort.wrappingAdd(1, ordering: .relaxed).oldValue % 10_000
        if isFree(port), isFree(port + 10_000) { return port }
    }
    throw ServerMissing(description: "there is no free port")
}

/// One after another: two servers that are being started do not get the same.
private let nextPort = Atomic(Int.random(in: 0..<10_000))

private func isFree(_ port: Int) -> Bool {
    #if canImport(Darwin)
    let stream = SOCK_STREAM
    #else
    let stream = Int32(SOCK_STREAM.rawValue)
    #endif
    let listener = socket(AF_INET, stream, 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    address.sin_port = in_port_t(port).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) == 0 }
    }
}
