package import BelfryCore
import NIOPosix

/// Appends each message to a file, one JSON object a line. A batch is on disk when `send` returns.
package struct LogChannel: Channel {
    package var name: String { "log" }
    package var isBatching: Bool { true }

    package func endpoint(of account: String) -> Endpoint { Endpoint(channel: name) }

    private let file: LogFile
    private let clock: any WallClock

    /// - Parameter path: made at the first message where it does not exist, readable by its owner only.
    package init(path: String, clock: any WallClock) {
        file = LogFile(path: path)
        self.clock = clock
    }

    package func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        let at = clock.now()
        let lines = messages.flatMap { LogLine.bytes($0, at: at) }
        let outcome: SendOutcome
        do {
            // Disks make threads wait; this one may.
            outcome = try await NIOThreadPool.singleton.runIfActive { file.append(lines) }
        } catch {
            let cause = SendCause(code: "closed", message: "this program is shutting down")
            outcome = .retry(after: nil, cause: cause)
        }
        return Array(repeating: outcome, count: messages.count)
    }
}
