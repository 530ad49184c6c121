import BelfryTestSupport
import Foundation
import Synchronization

/// The built `belfry` as a process of its own.
final class Program: Sendable {
    /// Beside the test bundle, where the build puts both.
    static let path: String = {
        var folders = [URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()]
        for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
            folders.append(bundle.bundleURL.deletingLastPathComponent())
        }
        folders.append(Bundle.main.bundleURL)
        let found = folders.map { $0.appending(path: "belfry").path() }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
        return found ?? "belfry"
    }()

    private let process: Mutex<Process>
    private let output = Mutex("")
    private let errors = Mutex("")
    private let status = Mutex<Int32?>(nil)

    /// What it has written so far.
    var out: String { output.withLock { $0 } }
    var err: String { errors.withLock { $0 } }
    /// The exit code, or the signal below zero; `nil` while it runs.
    var code: Int32? { status.withLock { $0 } }

    /// Starts it; nothing of the caller's `BELFRY_…` variables reaches it.
    ///
    /// - Parameter wrapper: a program with its arguments that is to start it, such as `setpriv`.
    init(_ arguments: [String], wrapper: [String] = []) throws {
        let words = wrapper + [Self.path] + arguments
        let process = Process()
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("BELFRY_")
        }
        let (out, err) = (Pipe(), Pipe())
        process.standardOutput = out
        process.standardError = err
        process.standardInput = FileHandle.nullDevice
        self.process = Mutex(process)
        let read = DispatchGroup()
        Self.read(out, read) { text in self.output.withLock { $0 += text } }
        Self.read(err, read) { text in self.errors.withLock { $0 += text } }
        try self.process.withLock { process in
            process.terminationHandler = { ended in
                let code = ended.terminationStatus
                let wasSignal = ended.terminationReason == .uncaughtSignal
                // The code is told last: whoever sees it sees all of the output too.
                read.notify(queue: .global()) {
                    self.status.withLock { $0 = wasSignal ? -code : code }
                }
            }
            try process.run()
        }
    }

    private static func read(
        _ pipe: Pipe,
        _ group: DispatchGroup,
        _ take: @escaping @Sendable (String) -> Void
    ) {
        group.enter()
        let handle = pipe.fileHandleForReading
        Thread.detachNewThread {
            while true {
                let data = handle.availableData
                if data.isEmpty { break }
                take(String(decoding: data, as: UTF8.self))
            }
            group.leave()
        }
    }

    func signal(_ number: Int32) {
        let id = process.withLock { $0.processIdentifier }
        if code == nil { kill(id, number) }
    }

    /// Waits for its end.
    @discardableResult
    func ended(within patience: Duration = .seconds(20)) async throws -> Int32 {
        try await eventually("the program ends", within: patience) { self.code != nil }
        return code ?? 0
    }

    deinit {
        // A test that fails leaves nothing running.
        process.withLock { if $0.isRunning { kill($0.processIdentifier, SIGKILL) } }
    }
}
