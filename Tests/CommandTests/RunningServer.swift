import Foundation
import Testing

/// `belfry serve` as a process of its own, on a free port.
final class RunningServer {
    let folder: String
    let address: String
    private let process: Process
    private let ended: AsyncStream<Int32>

    /// Starts it and waits until it says where it listens.
    init(folder: String, arguments: [String] = []) async throws {
        self.folder = folder
        let process = Process()
        process.executableURL = URL(filePath: Program.path)
        process.arguments =
            ["serve", "--data-folder", folder, "--http-port", "0", "--log-level", "critical"]
            + arguments
        process.environment = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("BELFRY_")
        }
        let out = Pipe()
        process.standardOutput = out
        process.standardError = FileHandle.nullDevice
        ended = AsyncStream { stream in
            process.terminationHandler = {
                stream.yield($0.terminationStatus)
                stream.finish()
            }
        }
        try process.run()
        let line = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var text = ""
                while !text.contains("\n") {
                    let data = out.fileHandleForReading.availableData
                    if data.isEmpty { break }
                    text += String(decoding: data, as: UTF8.self)
                }
                continuation.resume(returning: text)
            }
        }
        self.process = process
        let words = line.split(whereSeparator: { $0 == " " || $0 == "," })
        address = String(try #require(words.first { $0.hasPrefix("http://") }, "\(line)"))
    }

    /// What a command needs to reach it.
    var environment: [String: String] {
        ["BELFRY_URL": address]
    }

    var keyFile: [String] { ["--key-file", folder + "/admin.key"] }

    /// Schedules a push that is due long after the test.
    func schedule(id: String) async throws -> Program.Result {
        try await Program.run(
            [
                "push", "schedule", "--id", id, "--account", "shop", "--to", "somebody", "--in",
                "1d",
                "--channel", "log", "--payload", "x",
            ] + keyFile,
            environment: environment
        )
    }

    /// Asks it to stop and waits for the end.
    @discardableResult
    func stop() async -> Int32 {
        process.terminate()
        for await status in ended { return status }
        return -1
    }

    /// Ends it as a power cut does, without a word.
    func kill() async {
        Foundation.kill(process.processIdentifier, SIGKILL)
        for await _ in ended {}
    }

    /// Stops it where it stands: its connections stay, and it answers nobody.
    func freeze() { Foundation.kill(process.processIdentifier, SIGSTOP) }

    /// Lets it go on.
    func thaw() { Foundation.kill(process.processIdentifier, SIGCONT) }

    deinit { if process.isRunning { process.terminate() } }
}
