import BelfryChannels
import BelfryCore
import BelfryDemo
import BelfryServer
import Foundation
import Logging
import Testing

@Suite("The running demonstration")
struct LiveDemoTests {
    @Test(
        "a new folder begins with six days of history, played before the console's address is told"
    )
    func history() async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var configuration = ServerConfiguration()
        // One that is there already has a history of its own.
        configuration.data.folder = TemporaryFolder().path + "/new"
        configuration.http.port = 0
        configuration.http.auth = .loopbackOpen
        configuration.http.accessLog = false
        var demo = LiveDemo(configuration: configuration, seed: 1, logger: logger)
        demo.pastFollowers = 12
        let (addresses, ready) = AsyncStream.makeStream(of: String.self)
        let playing = demo
        let run = Task {
            defer { ready.finish() }
            try await playing.run { console, _ in ready.yield(console) }
        }
        let address = try #require(await addresses.first { _ in true })
        let caller = HTTPClientCaller()
        let call = HTTPCall(url: address + "/v1/deliveries?limit=1000")
        let page = try await caller.call(call)
        await caller.shutdown()
        run.cancel()
        // It was told to end.
        _ = try? await run.value
        let items = try #require(try JSONValue(parsing: page.body)["items"]?.array)
        let days = Set(items.compactMap { $0["at"]?.string?.prefix(10) })
        #expect(days.count >= 5, "\(days)")
        #expect(items.contains { $0["state"] == "sent" })
    }
}
