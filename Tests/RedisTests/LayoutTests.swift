import BelfryCore
import BelfryRedisProcess
import BelfrySimulation
import Testing

@testable import BelfryRedis
@testable import BelfryRedisClient

@Suite("What all who share a timeline on Redis agree on", .serialized)
struct LayoutTests {
    private let clock = ManualClock()

    @Test("refuses pushes of a format that it does not read")
    func formats() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, .given(clock))
        let node = await timeline.servers.all()[0]
        let key = timeline.tag(0) + ":layout"
        for (format, code) in [("1", TimelineError.Code.invalid), ("3", .newerFormat)] {
            _ = try await node.ask([RedisCommand("HSET", key, "format", format)])
            let error = await #expect(throws: TimelineError.self) {
                try await RedisTimeline.ready(server, .given(clock))
            }
            #expect(error?.code == code)
            #expect(error?.message.contains("format \(format)") == true)
        }
        await timeline.close()
    }

    @Test("refuses to share its keys with another number of shards")
    func layout() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        let timeline = try await RedisTimeline.ready(server, shards: 8)
        let error = await #expect(throws: TimelineError.self) {
            _ = try await RedisTimeline.ready(server, shards: 16)
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("used with 8") == true)
        await timeline.close()
    }

    @Test(
        "refuses to share its keys with other records, unless nobody has said yet whose they are"
    )
    func records() async throws {
        let server = try RedisProcess()
        defer { server.kill() }
        // As a version left it that knew no records.
        let old = try await RedisTimeline.ready(server)
        let refused = await #expect(throws: TimelineError.self) {
            _ = try await RedisTimeline.ready(server, shards: 16, records: "other")
        }
        #expect(refused?.message.contains("used with 8") == true)
        let first = try await RedisTimeline.ready(server, records: "ours")
        let again = try await RedisTimeline.ready(server, records: "ours")
        let error = await #expect(throws: TimelineError.self) {
            _ = try await RedisTimeline.ready(server, records: "other")
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("other records (ours; these are other)") == true)
        #expect(error?.message.contains("Set another timeline.prefix") == true)
        // What the message says to do where those records are lost.
        #expect(try await server.command("HDEL", "{belfry:s0}:layout", "records") == "1\n")
        let heir = try await RedisTimeline.ready(server, records: "other")
        for timeline in [old, first, again, heir] { await timeline.close() }
    }
}
