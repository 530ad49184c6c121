import BelfryChannels
import BelfryCore
import Hummingbird
import NIOCore
import Testing

@Suite("HTTP calls")
struct HTTPClientCallerTests {
    @Test("an answer comes with status, headers and body, and the request arrives whole")
    func answers() async throws {
        try await withServer(
            Answering { _ in
                Response(
                    status: .init(code: 418),
                    headers: [.retryAfter: "7"],
                    body: .init(byteBuffer: ByteBuffer(string: "<html>tea</html>"))
                )
            }
        ) { base, seen in
            try await withCaller { caller in
                let answer = try await caller.call(
                    HTTPCall(
                        method: "POST",
                        url: "\(base)/path?a=1",
                        headers: [("x-one", "1")],
                        body: Array("你好".utf8)
                    )
                )
                #expect(answer.status == 418)
                #expect(String(decoding: answer.body, as: UTF8.self) == "<html>tea</html>")
                #expect(answer.headers.contains { $0.name.lowercased() == "retry-after" })
                let request = try #require(seen.requests.first)
                #expect(request.path == "/path")
                #expect(request.headers["x-one"] == "1")
                #expect(request.body == Array("你好".utf8))
            }
        }
    }

    @Test("a redirect is an answer, not followed")
    func redirects() async throws {
        try await withServer(
            Answering { _ in
                Response(status: .found, headers: [.location: "http://127.0.0.1:1/"])
            }
        ) { base, seen in
            try await withCaller { caller in
                let answer = try await caller.call(HTTPCall(url: base))
                #expect(answer.status == 302)
                #expect(seen.requests.count == 1)
            }
        }
    }

    @Test("an answer above the limit is cut off")
    func tooLarge() async throws {
        try await withServer(
            Answering { _ in
                Response(
                    status: .ok,
                    body: .init(byteBuffer: ByteBuffer(repeating: 65, count: 100_000))
                )
            }
        ) { base, _ in
            try await withCaller { caller in
                let small = HTTPCall(url: base, answerLimit: 99_999)
                #expect(await caller.failure(small) == .tooLarge)
                #expect(await caller.failure(HTTPCall(url: base, answerLimit: 100_000)) == nil)
                let head = HTTPCall(url: base, answerLimit: 99_999, headSuffices: true)
                #expect(await caller.failure(head) == nil)
            }
        }
    }

    @Test("a port where nobody listens is surely not connected")
    func refused() async throws {
        let refused = try RefusedPort()
        try await withCaller { caller in
            let plain = HTTPCall(url: "http://127.0.0.1:\(refused.port)/")
            #expect(await caller.failure(plain) == .notConnected)
            let named = HTTPCall(url: "http://localhost:\(refused.port)/")
            #expect(await caller.failure(named) == .notConnected)
        }
    }

    @Test("a name that does not exist is surely not connected")
    func unknownName() async throws {
        try await withCaller { caller in
            let call = HTTPCall(url: "http://nobody.invalid/")
            #expect(await caller.failure(call) == .notConnected)
        }
    }

    @Test(
        "a server that takes the request and then hangs, closes, resets or babbles may have done its work",
        arguments: [Misbehaviour.hangs, .closes, .resets, .babbles]
    )
    func noAnswer(behaviour: Misbehaviour) async throws {
        try await withBadServer(behaviour) { base in
            try await withCaller { caller in
                let call = HTTPCall(
                    method: "POST",
                    url: base,
                    body: [1, 2, 3],
                    timeout: behaviour == .hangs ? .milliseconds(150) : .seconds(10)
                )
                #expect(await caller.failure(call) == .noAnswer)
            }
        }
    }

    @Test(
        "a request that never got a connection surely did not arrive, however busy the others are"
    )
    func poolIsFull() async throws {
        try await withBadServer(.hangs) { base in
            let caller = HTTPClientCaller(
                connectionsPerHost: 1,
                connectTimeout: .seconds(2)
            )
            async let first = caller.failure(HTTPCall(url: base, timeout: .seconds(8)))
            async let second = caller.failure(HTTPCall(url: base, timeout: .seconds(8)))
            let kinds = await [first, second]
            await caller.shutdown()
            #expect(kinds.contains(.notConnected) && kinds.contains(.noAnswer))
        }
    }

    @Test("a failure does not quote the address: it may hold a token")
    func secrets() async throws {
        let refused = try RefusedPort()
        try await withCaller { caller in
            for url in [
                "http://127.0.0.1:\(refused.port)/?access_token=T0KEN", "ftp://x/?T0KEN", "T0KEN",
            ] {
                do throws(HTTPFailure) {
                    _ = try await caller.call(HTTPCall(url: url))
                    Issue.record("must fail")
                } catch {
                    #expect(!error.message.contains("T0KEN"))
                }
            }
        }
    }

    @Test(
        "what is no web address is forbidden",
        arguments: ["", "x", "ftp://a/", "http://", "unix:/a"]
    )
    func malformed(url: String) async throws {
        try await withCaller { caller in
            #expect(await caller.failure(HTTPCall(url: url)) == .forbidden)
        }
    }

    @Test("a call with an address goes there, whatever its name resolves to, under its own name")
    func pinned() async throws {
        try await withServer(Answering { _ in Response(status: .ok) }) { base, seen in
            try await withCaller { caller in
                let port = base.split(separator: ":").last ?? ""
                let call = HTTPCall(url: "http://nobody.invalid:\(port)/x", address: "127.0.0.1")
                for _ in 0..<3 { #expect(await caller.failure(call) == nil) }
                #expect(seen.requests.count == 3)
                let hosts = Set(seen.requests.map(\.host))
                #expect(hosts == ["nobody.invalid:\(port)"])
            }
        }
    }

    @Test("after the shutdown no call is made")
    func shutdown() async throws {
        let caller = HTTPClientCaller()
        await caller.shutdown()
        #expect(await caller.failure(HTTPCall(url: "http://127.0.0.1:1/")) == .notConnected)
        let pinned = HTTPCall(url: "http://a.invalid/", address: "127.0.0.1")
        #expect(await caller.failure(pinned) == .notConnected)
    }
}
