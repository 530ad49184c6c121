import BelfryClient
import BelfryCore
import Foundation
import Synchronization

/// Servers and workers, and what is known of all of them together.
final class ClusterStage: Sendable {
    let servers: ClusterServers
    private let folder: String
    private let belfry: String
    private let lease: Duration
    private let started = Mutex<[ClusterWorker]>([])

    init(servers: ClusterServers, folder: String, belfry: String, lease: Duration) {
        self.servers = servers
        self.folder = folder
        self.belfry = belfry
        self.lease = lease
    }

    var workers: [ClusterWorker] { started.withLock { $0 } }

    /// Ends every worker at once.
    func remove() { for worker in workers { worker.kill() } }

    /// Starts three workers, and makes an account and a topic.
    ///
    /// - Parameter wait: from when the workers are up until it opens.
    /// - Returns: when it opens, on a whole second.
    func open(topic: String, after wait: Duration) async throws -> Timestamp {
        // The first makes the key that they share.
        let first = try await start("worker-1")
        async let second = start("worker-2")
        async let third = start("worker-3")
        let others = try await (second, third)
        let opening = (SystemClock().now() + wait).nextSecond
        try await first.client.call(
            .post,
            "/v1/accounts",
            body: .object([
                "key": .string("shop"), "kind": .string("webhook"),
            ])
        )
        // What is made at one is known to all.
        try await others.0.client.call(
            .put,
            "/v1/topics/\(topic)",
            body: .object([
                "account": .string("shop"), "channel": .string("rabbitmq"),
                "title": .string("满减券"), "message": .string("{{title}} {{time}} 开抢"),
                "opening": .integer(opening.milliseconds),
            ])
        )
        return opening
    }

    private func start(_ name: String) async throws -> ClusterWorker {
        var settings = servers.settings
        settings["BELFRY_SECRET_KEY_FILE"] = "\(folder)/secret.key"
        settings["BELFRY_DELIVERY_LEASE"] = "\(lease.components.seconds)s"
        let worker = try ClusterWorker(name, belfry: belfry, folder: folder, settings: settings)
        started.withLock { $0.append(worker) }
        try await worker.answers()
        return worker
    }
}

extension Timestamp {
    fileprivate var nextSecond: Timestamp {
        Timestamp(milliseconds: (milliseconds / 1000 + 1) * 1000)
    }
}
