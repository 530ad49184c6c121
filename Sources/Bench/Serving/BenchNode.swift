import BelfryRecords
import BelfryServer
import Logging

/// A whole server in this process, on a folder of its own, with an account `bench`.
enum BenchNode {
    /// Runs until `work` returns.
    ///
    /// - Parameters:
    ///   - account: changes the account before it is saved.
    ///   - work: gets the port.
    static func during<Value: Sendable>(
        folder: String,
        prepare: @escaping @Sendable (BelfryNode) async throws -> Void = { _ in },
        account change: (inout AccountRecord) -> Void = { _ in },
        _ work: @escaping @Sendable (_ port: Int) async throws -> Value
    ) async throws -> Value {
        var configuration = ServerConfiguration()
        configuration.data.folder = folder
        configuration.http.port = 0
        configuration.http.auth = .loopbackOpen
        configuration.http.accessLog = false
        var logger = Logger(label: "belfry.bench")
        logger.logLevel = .critical
        let node = try await BelfryNode.open(configuration, logger: logger)
        var account = AccountRecord(key: "bench", kind: .webhook)
        change(&account)
        _ = try await node.records.accounts.save(account)
        try await prepare(node)
        try await node.accounts.reload()
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        return try await During.run(
            { try await node.run(signals: [], listening: { continuation.yield($0) }) },
            ports,
            work
        )
    }
}
