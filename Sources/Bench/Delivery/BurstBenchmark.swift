import BelfryChannels
import BelfryCore
import Histogram

extension Benchmark {
    /// 200,000 due within one second, handed over to nobody.
    static let burstNull = Benchmark(
        "burst.200k.null",
        "200,000 due within one second: milliseconds from its beginning until the last was handed over, against the second itself"
    ) { setting in
        let load = burst(setting)
        let (log, start) = try await load.run(in: setting.folder, lanes: setting.lanes)
        return [
            Measurement(
                "burst.200k.null",
                milliseconds(until: log.last, from: start),
                "ms",
                reference: Double(load.spread.milliseconds)
            ),
            Measurement("burst.200k.null.p99", log.lateness(percentile: 99), "ms"),
        ]
    }

    /// The same, each posted to a server on this machine and answered by it.
    static let burstWebhook = Benchmark(
        "burst.200k.webhook",
        "The same until the last was answered by a webhook on loopback, against bare POSTs of the same payloads"
    ) { setting in
        var load = burst(setting)
        load.patience = .seconds(300)
        let (ours, bare) = try await SinkServer.during(answering: []) { [load] port in
            var load = load
            let caller = HTTPClientCaller()
            load.target = webhook(port: port, caller: caller)
            let result: Result<Double, any Error>
            do {
                let (log, start) = try await load.run(in: setting.folder, lanes: setting.lanes)
                result = .success(milliseconds(until: log.last, from: start))
            } catch { result = .failure(error) }
            await caller.shutdown()
            return (try result.get(), try await barePosts(load.count, port: port))
        }
        return [Measurement("burst.200k.webhook", ours, "ms", reference: bare)]
    }

    private static func burst(_ setting: BenchmarkSetting) -> DeliveryLoad {
        DeliveryLoad(count: setting.count(200_000, least: 1000), spread: .seconds(1))
    }

    private static func milliseconds(until last: Int64, from start: Timestamp) -> Double {
        Double(last - start.milliseconds * 1000) / 1000
    }

    private static func webhook(port: Int, caller: HTTPClientCaller) -> WebhookChannel {
        let clock = SystemClock()
        var random = SplitMix64(seed: 1)
        let secret = WebhookSecret(WebhookSecret.generate(using: &random))
        let target = WebhookTarget(
            url: "http://127.0.0.1:\(port)/hook",
            secrets: [secret].compactMap(\.self)
        )
        return WebhookChannel(
            caller: caller,
            guardian: WebhookGuard(
                allowed: WebhookGuard.Allowed(["127.0.0.1"]),
                clock: clock
            ),
            clock: clock
        ) { _ in target }
    }

    /// Milliseconds for so many POSTs over as many connections as the product opens, without anything else.
    private static func barePosts(_ count: Int, port: Int) async throws -> Double {
        let request = RawRequest.post(
            "/hook",
            type: "application/json",
            body: BenchPushes.payload
        )
        let outcome = try await Load(port: port, connections: 128)
            .run(Array(repeating: request, count: count))
        return outcome.seconds * 1000
    }
}
