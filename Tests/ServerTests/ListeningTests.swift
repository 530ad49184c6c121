import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@Suite("The listening server")
struct ListeningTests {
    private func live(
        _ fixture: ServerFixture,
        _ test: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        try await buildApplication(fixture.dependencies).test(.live) { client in
            try await test(try #require(client.port))
        }
    }

    private func head(_ line: String, _ fixture: ServerFixture, _ more: String = "") -> String {
        "\(line) HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \(fixture.adminKey.text)\r\n"
            + more + "\r\n"
    }

    @Test("answers 408 to a client that dribbles its body, and lets go of it")
    func slowBody() async throws {
        var fixture = try await ServerFixture()
        fixture.dependencies.configuration.http.bodyTimeout = .milliseconds(100)
        let request = head("POST /v1/pushes", fixture, "Content-Length: 100\r\n") + "{\"id\":"
        try await live(fixture) { port in
            let answer = try await RawClient.exchange(request, port: port)
            #expect(answer.hasPrefix("HTTP/1.1 408 "))
            #expect(answer.contains("\"code\":\"too_slow\""))
        }
    }

    @Test("closes on a client that never finishes its head, and on one that says nothing")
    func slowHead() async throws {
        var fixture = try await ServerFixture()
        fixture.dependencies.configuration.http.idleTimeout = .milliseconds(100)
        try await live(fixture) { port in
            let half = try await RawClient.exchange("GET /healthz HTT", port: port)
            let nothing = try await RawClient.exchange("", port: port)
            #expect(half.isEmpty && nothing.isEmpty)
        }
    }

    @Test("refuses a head without end")
    func longHead() async throws {
        var fixture = try await ServerFixture()
        fixture.dependencies.configuration.http.headerBytesMax = 1024
        let request = "GET /healthz HTTP/1.1\r\nX: " + String(repeating: "x", count: 4000)
        try await live(fixture) { port in
            let answer = try await RawClient.exchange(request + "\r\n\r\n", port: port)
            #expect(answer.hasPrefix("HTTP/1.1 400 ") || answer.hasPrefix("HTTP/1.1 431 "))
        }
    }

    @Test("streams numbers and what happens, filtered, with ids to go on from")
    func stream() async throws {
        let fixture = try await ServerFixture()
        let feed = fixture.dependencies.feed
        let request = head("GET /v1/stream?topics=stats,delivery&account=shop", fixture)
        try await live(fixture) { port in
            let answer = try await RawClient.exchange(request, port: port) { received in
                if received.contains("event: stats"), feed.listeners == 1,
                    !received.contains("event: delivery")
                {
                    feed.publish(LiveEvent(topic: "delivery", account: "other", data: "no"))
                    feed.publish(LiveEvent(topic: "account", account: "shop", data: "no"))
                    feed.publish(LiveEvent(topic: "delivery", account: "shop", data: ["a": 1]))
                }
                return received.contains("event: delivery")
            }
            // The clock stands still, so nobody notices that the reader left: the stream ends as it does at a stop.
            feed.finish()
            #expect(answer.contains("text/event-stream"))
            #expect(answer.contains("\"due_now\":3"))
            #expect(answer.contains("id: 3\nevent: delivery\ndata: {\"a\":1}\n\n"))
            #expect(!answer.contains("\"no\""))
        }
    }

    @Test("goes on behind the last event that a reader has seen")
    func resume() async throws {
        let fixture = try await ServerFixture()
        let feed = fixture.dependencies.feed
        for number in 1...3 {
            feed.publish(LiveEvent(topic: "delivery", data: .integer(Int64(number))))
        }
        let request = head("GET /v1/stream?topics=delivery", fixture, "Last-Event-ID: 1\r\n")
        try await live(fixture) { port in
            let answer = try await RawClient.exchange(request, port: port) { received in
                received.contains("data: 3")
            }
            feed.finish()
            #expect(answer.contains("data: 2") && !answer.contains("data: 1\n"))
        }
    }

    @Test("says who may be in the way when its port is taken, and what to do")
    func portInUse() async throws {
        let fixture = try await ServerFixture()
        let taken = try await ServerBootstrapProbe.listen()
        var second = fixture.dependencies
        second.configuration.http.port = taken.port
        let service = HTTPService(second)
        let failure = await #expect(throws: ListenFailure.self) { try await service.run() }
        #expect(failure?.description.contains("127.0.0.1:\(taken.port) is in use") == true)
        #expect(failure?.description.contains("--http-port") == true)
        try await taken.close()
    }

    @Test("does not listen beyond loopback without keys, or when open")
    func beyondLoopback() async throws {
        let fixture = try await ServerFixture()
        for key in try await fixture.dependencies.records.keys.all() {
            try await fixture.dependencies.records.keys.revoke(key.id)
        }
        var dependencies = fixture.dependencies
        dependencies.configuration.http.host = "0.0.0.0"
        dependencies.configuration.http.port = 0
        let withoutKeys = HTTPService(dependencies)
        let failure = await #expect(throws: ListenFailure.self) { try await withoutKeys.run() }
        #expect(failure?.description.contains("no API key") == true)
        dependencies.configuration.http.auth = .loopbackOpen
        let open = HTTPService(dependencies)
        await #expect(throws: ListenFailure.self) { try await open.run() }
    }
}
