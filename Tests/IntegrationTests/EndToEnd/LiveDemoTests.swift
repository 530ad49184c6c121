import BelfryChannels
import BelfryCore
import BelfryDemo
import BelfryServer
import BelfryTestSupport
import Foundation
import Logging
import Testing

@Suite("The running demonstration")
struct LiveDemoTests {
    @Test("its buttons bring a day, one at a time, and a rush whose every message goes out once")
    func buttons() async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var configuration = ServerConfiguration()
        let folder = TemporaryFolder(isMade: false)
        configuration.data.folder = folder.path + "/new"
        configuration.http.port = 0
        configuration.http.auth = .loopbackOpen
        configuration.http.accessLog = false
        var demo = LiveDemo(configuration: configuration, seed: 1, logger: logger)
        demo.pastFollowers = 2
        demo.rushMessages = 3_000
        demo.replaySpeed = 20_000
        let (addresses, ready) = AsyncStream.makeStream(of: String.self)
        let playing = demo
        let run = Task {
            defer { ready.finish() }
            try await playing.run { console, _ in ready.yield(console) }
        }
        let address = try #require(await addresses.first { _ in true })
        let caller = HTTPClientCaller()
        func press(_ act: Demonstration.Act) async throws -> Int {
            try await caller.call(
                HTTPCall(method: "POST", url: "\(address)/console/\(act.rawValue)")
            ).status
        }
        func shown() async throws -> Timestamp {
            let page = try await caller.call(HTTPCall(url: address + "/v1/stats"))
            let text = try JSONValue(parsing: page.body)["at"]?.string
            return try #require(text.flatMap { TimeText.parse($0) })
        }
        #expect(try await press(.rush) == 202)
        let log = configuration.data.folder + "/log-channel.ndjson"
        func ids() -> [Substring] {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").compactMap { line in
                line.firstRange(of: "\"id\":\"rush/").map {
                    line[$0.upperBound...].prefix { $0 != "\"" }
                }
            }
        }
        try await eventually("the rush goes out") { ids().count >= 3_000 }
        #expect(ids().count == 3_000 && Set(ids()).count == 3_000)
        let before = try await shown()
        #expect(try await press(.day) == 202)
        #expect(try await press(.day) == 409)
        try await eventually("the day goes by") { try await shown() >= before + .hours(24) }
        try await eventually("another may follow") { try await press(.day) == 202 }
        await caller.shutdown()
        run.cancel()
        // It was told to end.
        _ = try? await run.value
    }

    @Test(
        "a new folder begins with six days of history, played before the console's address is told"
    )
    func history() async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var configuration = ServerConfiguration()
        // One that is there already has a history of its own.
        configuration.data.folder = TemporaryFolder(isMade: false).path + "/new"
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
