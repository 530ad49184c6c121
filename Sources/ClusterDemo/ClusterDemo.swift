import BelfryClient
import BelfryCore
import Foundation

/// A coupon rush on a cluster: Redis Cluster, PostgreSQL, RabbitMQ and three workers on one machine. A crowd subscribes through all workers, some cancel and come back,
/// the topic opens, and while everybody is told a worker and a primary of Redis are killed. Judged by what came out of the broker.
package struct ClusterDemo: Sendable {
    package var people: Int
    /// How long from the first worker until the topic opens.
    package var opensIn: Duration
    /// The program that serves.
    package var belfry: String
    /// Gets a line for everything that happens.
    package var tell: @Sendable (String) -> Void

    /// What the dead worker held is due again after that.
    private static let lease = Duration.seconds(6)

    package init(
        people: Int,
        opensIn: Duration? = nil,
        belfry: String,
        tell: @escaping @Sendable (String) -> Void
    ) {
        self.people = people
        self.opensIn = opensIn ?? Self.usualOpening(people)
        self.belfry = belfry
        self.tell = tell
    }

    /// Time enough for everybody to subscribe on a small machine.
    private static func usualOpening(_ people: Int) -> Duration {
        .seconds(20) + .milliseconds(3 * people / 2)
    }

    /// Plays it once. Whatever comes of it, nothing is left running, and no folder stays.
    ///
    /// - Throws: ``ClusterDemoFailure``, or what a server could not be started for; `CancellationError`.
    package func run() async throws -> RushReport {
        let folder = NSTemporaryDirectory() + "belfry-cluster-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            // A folder of the demonstration's own that cannot be removed harms nobody; the system clears it.
            try? FileManager.default.removeItem(atPath: folder)
        }
        tell("starting a Redis Cluster, PostgreSQL and RabbitMQ")
        let servers = try await ClusterServers.start()
        defer { servers.remove() }
        let stage = ClusterStage(
            servers: servers,
            folder: folder,
            belfry: belfry,
            lease: Self.lease
        )
        defer { stage.remove() }
        return try await rush(on: stage)
    }

    private func rush(on stage: ClusterStage) async throws -> RushReport {
        let clock = SystemClock()
        let opening = try await stage.open(topic: Crowd.topic, after: opensIn)
        let seconds = (opening - clock.now()).components.seconds
        tell("3 workers are up; the coupon opens \(seconds) s from now")
        var crowd = Crowd(people: people)
        try await crowd.subscribe(at: stage.workers)
        tell("\(people) people have subscribed")
        try await crowd.change(at: stage.workers)
        tell("\(crowd.cancels) have cancelled, \(crowd.comebacks) of them are back")
        let left = opening - clock.now()
        guard left > .seconds(1) else {
            throw ClusterDemoFailure(
                "it opened before everybody had subscribed: give it more time with --opens-in"
            )
        }
        let watch = QueueWatch(stage.servers.broker, ClusterServers.queue, crowd: crowd)
        defer { watch.stop() }
        try await Task.sleep(for: left)
        tell("it is open: \(crowd.told) people are to be told")
        let rush = Rush(stage: stage, watch: watch, promised: crowd.told, tell: tell)
        let sight = try await rush.play()
        let (arrivals, strangers) = try watch.arrivals()
        guard strangers == 0 else {
            throw ClusterDemoFailure("\(strangers) messages are for nobody who subscribed")
        }
        return RushReport(crowd, arrivals, opening: opening, sight)
    }
}
