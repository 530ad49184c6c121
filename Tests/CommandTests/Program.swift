import Foundation

/// Runs the built program with real arguments.
struct Program {
    struct Result {
        var code: Int32
        var out: String
        var err: String
    }

    /// Beside the test bundle, where the build puts both.
    static let path: String = {
        var folder = Bundle.main.bundleURL
        for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
            folder = bundle.bundleURL.deletingLastPathComponent()
        }
        let candidates = [
            folder, URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent(),
        ]
        let found = candidates.map { $0.appending(path: "belfry").path() }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        return found ?? "belfry"
    }()

    /// Runs to the end, or for five minutes: what takes longer waits for something that does not come, and ends with the signal's number.
    ///
    /// - Parameter environment: beside PATH and the sanitizers' own; nothing of the caller's BELFRY_… variables.
    static func run(
        _ arguments: [String],
        input: String = "",
        environment: [String: String] = [:],
        folder: String? = nil,
        executable: String = path
    ) async throws -> Result {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("BELFRY_") }
        process.environment = inherited.merging(environment) { $1 }
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        let (out, err, into) = (Pipe(), Pipe(), Pipe())
        process.standardOutput = out
        process.standardError = err
        process.standardInput = into
        let ended = AsyncStream<Int32> { stream in
            process.terminationHandler = {
                stream.yield($0.terminationStatus)
                stream.finish()
            }
        }
        try process.run()
        let watch = Task {
            try await Task.sleep(for: .seconds(300))
            kill(process.processIdentifier, SIGKILL)
        }
        defer { watch.cancel() }
        try into.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try into.fileHandleForWriting.close()
        async let errors = read(err)
        let output = await read(out)
        var code: Int32 = -1
        for await status in ended { code = status }
        return Result(code: code, out: output, err: await errors)
    }

    /// Blocks a thread of its own, not one that tests run on.
    private static func read(_ pipe: Pipe) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
    }
}
