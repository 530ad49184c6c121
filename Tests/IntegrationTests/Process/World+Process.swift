import BelfryCore
import BelfryServer
import BelfryTestSupport
import Foundation

extension World {
    /// Arguments of a server on this world's folder.
    func serve(_ more: [String] = []) -> [String] {
        [
            "serve", "--data-folder", path, "--http-port", "0", "--http-auth", "loopback-open",
            "--http-access-log", "false", "--delivery-lease", "1s", "--log-level", "warning",
        ] + more
    }

    /// Starts a real server on the folder; returns when it listens and the simulator knows where.
    ///
    /// - Parameter attempts: how often the simulator pushes a callback that nobody answers.
    func start(_ more: [String] = [], attempts: Int = 3) async throws -> Program {
        let program = try Program(serve(more))
        try await eventually("the server listens: \(program.err)") {
            if let code = program.code {
                throw NeverHappened(description: "ended with \(code): \(program.err)")
            }
            return program.out.contains("\n")
        }
        let words = program.out.split(whereSeparator: { " ,\n".contains($0) })
        guard let address = words.first(where: { $0.hasPrefix("http://") }) else {
            throw NeverHappened(description: "the server says where it listens: \(program.out)")
        }
        connect(String(address), attempts: attempts)
        return program
    }

    /// Kills a server as a power cut would.
    func crash(_ program: Program) async throws {
        program.signal(SIGKILL)
        try await program.ended()
    }
}
