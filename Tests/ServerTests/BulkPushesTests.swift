import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import Hummingbird
import HummingbirdTesting
import Testing

@Suite("Bulk pushes over HTTP")
struct BulkPushesTests {
    private func post(_ body: [UInt8], _ fixture: ServerFixture) async throws
        -> (status: Int, lines: [JSONValue])
    {
        let answer = try await buildApplication(fixture.dependencies).test(.router) { client in
            try await client.execute(
                uri: "/v1/pushes:bulk",
                method: .post,
                headers: [
                    .authorization: "Bearer \(fixture.adminKey.text)",
                    .contentType: "application/x-ndjson",
                ],
                body: ByteBuffer(bytes: body)
            )
        }
        var lines: [JSONValue] = []
        for line in String(buffer: answer.body).split(separator: "\n") {
            lines.append(try #require(JSONValue.parse(String(line))))
        }
        return (answer.status.code, lines)
    }

    private func post(_ text: String, _ fixture: ServerFixture) async throws
        -> (status: Int, lines: [JSONValue])
    {
        try await post(Array(text.utf8), fixture)
    }

    @Test("a wrong line is told by its number in the body, blank lines counted")
    func numbers() async throws {
        let (status, lines) = try await post("bad\n\n \nworse\n", try await ServerFixture())
        #expect(status == 207)
        #expect(lines.map { $0["line"]?.integer } == [1, 4])
    }

    @Test("accepts every good line and answers in order")
    func good() async throws {
        let fixture = try await ServerFixture()
        let (status, lines) = try await post(
            """
            {"id":"a","account":"shop","to":"o1","due":"2023-11-14T22:13:25Z","channel":"log","payload":{"text":"你好 \\" {"}}

            {"id":"b","account":"shop","to":"o1","delay":"90s","channel":"log","priority":"high","payload":"line\\n\\u4f60","merge":{"key":"k","grace":"1s","max_wait":"9s","mode":"collect"}}
            {"id":"a","account":"shop","to":"o1","due":1700000009000,"channel":"log","payload":7,"expires":1700000010000}
            """,
            fixture
        )
        #expect(status == 200)
        #expect(lines.map { $0["status"]?.string } == ["accepted", "accepted", "replaced"])
        #expect(lines.map { $0["id"]?.string } == ["a", "b", "a"])
        let b = try #require(fixture.timeline.pushes["b"])
        #expect(b.payload == Array("line\n你".utf8))
        #expect(b.priority == .high)
        #expect(b.due == fixture.clock.now() + .seconds(90))
        #expect(
            b.merge
                == MergeRule(key: "k", grace: .seconds(1), maxWait: .seconds(9), mode: .collect)
        )
        let a = try #require(fixture.timeline.pushes["a"])
        #expect(a.payload == Array("7".utf8))
        #expect(a.expires == Timestamp(milliseconds: 1_700_000_010_000))
    }

    @Test("a line whose account cannot send over its channel is refused, each time, and no other")
    func impossible() async throws {
        var fixture = try await ServerFixture()
        fixture.dependencies.channels = ["log", "webhook"]
        fixture.dependencies.uncheckedChannels = ["log", "webhook"]
        fixture.dependencies.channelProblem = { account, channel in
            channel == "webhook" ? "needs what '\(account)' has not" : nil
        }
        func line(_ id: String, _ channel: String) -> String {
            #"{"id":"\#(id)","account":"shop","to":"o","delay":"1s","channel":"\#(channel)","payload":"x"}"#
        }
        let (status, lines) = try await post(
            [line("a", "log"), line("b", "webhook"), line("c", "webhook"), line("d", "log")]
                .joined(separator: "\n"),
            fixture
        )
        #expect(status == 207)
        #expect(
            lines.map { $0["status"]?.string } == ["accepted", "error", "error", "accepted"]
        )
        #expect(lines[2]["pointer"] == "/channel" && lines[2]["code"] == "account")
        let one = try await fixture.admin(.post, "/v1/pushes", line("e", "webhook"))
        #expect(one.status == 422 && one.pointers == ["/channel"])
        #expect(fixture.timeline.pushes.keys.map(\.text).sorted() == ["a", "d"])
    }

    @Test("ids and names with U+0000 are refused: no store of text could keep them")
    func nul() async throws {
        let fixture = try await ServerFixture()
        let (status, lines) = try await post(
            #"{"id":"a\u0000b","account":"shop","to":"o","delay":"1s","channel":"log","payload":"x"}"#,
            fixture
        )
        #expect(status == 207 && lines[0]["pointer"] == "/id")
        let one = try await fixture.admin(
            .post,
            "/v1/pushes",
            #"{"id":"a","account":"shop","to":"o\u0000","delay":"1s","channel":"log","payload":"x"}"#
        )
        #expect(one.status == 422 && fixture.timeline.pushes.isEmpty)
    }

    @Test("a push that merges ends as merged under its own id, once however often it is said")
    func merged() async throws {
        let fixture = try await ServerFixture()
        let merge = #""merge":{"key":"k","grace":"1s"}"#
        let body = (0..<600).map { number in
            let person = number % 2 == 0 ? "o1" : "o2"
            let due = 1_700_000_009_000 + number
            return
                #"{"id":"m/\#(number)","account":"shop","to":"\#(person)","due":\#(due),"channel":"log","payload":1,\#(number < 500 ? merge : #""priority":"low""#)}"#
        }.joined(separator: "\n")
        for _ in 0..<2 {
            let (status, lines) = try await post(body, fixture)
            #expect(status == 200)
            #expect(lines.count { $0["status"]?.string == "merged" } == 498)
        }
        let one = try await fixture.admin(
            .post,
            "/v1/pushes",
            #"{"id":"m/one","account":"shop","to":"o1","delay":"9s","channel":"log","payload":1,\#(merge)}"#
        )
        #expect(one.json["status"]?.string == "merged")
        var query = DeliveryQuery()
        query.account = "shop"
        query.state = .ended(.merged)
        let ends = try await fixture.dependencies.records.deliveries.find(query, limit: 1000).items
        #expect(Set(ends.map(\.push.text)) == Set((2..<500).map { "m/\($0)" } + ["m/one"]))
        #expect(ends.count == 499)
        let first = try #require(ends.first { $0.push == "m/2" })
        #expect(first.recipient.person == "o1" && first.channel == "log")
        #expect(first.due == Timestamp(milliseconds: 1_700_000_009_002))
        #expect(!first.cause.message.isEmpty)
    }

    @Test("records that fail do not take back what the timeline has accepted")
    func mergedWithoutRecords() async throws {
        let fixture = try await ServerFixture(auth: .loopbackOpen)
        await fixture.dependencies.records.close()
        let line =
            #"","account":"shop","to":"o1","delay":"1s","channel":"log","payload":1,"merge":{"key":"k"}}"#
        let answer = try await fixture.send(
            .post,
            "/v1/pushes:bulk",
            "{\"id\":\"a\(line)\n{\"id\":\"b\(line)",
            headers: [.contentType: "application/x-ndjson"]
        )
        #expect(answer.status == 200)
        #expect(answer.text.contains(#"{"id":"b","status":"merged"}"#), "\(answer.text)")
    }

    @Test("reads exactly what the one-push route reads, byte for byte")
    func payloadIsRaw() async throws {
        let fixture = try await ServerFixture()
        let payload = #"{"msgtype":"text", "text":{"content":"a\u4f60\n"} }"#
        _ = try await post(
            #"{"id":"x\u002fy","account":"shop","to":"o1","due":1700000000000,"channel":"log","payload":"#
                + payload + "}",
            fixture
        )
        #expect(fixture.timeline.pushes["x/y"]?.payload == Array(payload.utf8))
    }

    static let badLines: [(String, String, String)] = [
        (
            #"{"account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#, "/id",
            "missing"
        ),
        (
            #"{"id":"","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#,
            "/id",
            "limit"
        ),
        (
            #"{"id":"a","account":"shop","due":1700000000000,"channel":"log","payload":1}"#, "/to",
            "missing"
        ),
        (#"{"id":"a","account":"shop","to":"o","channel":"log","payload":1}"#, "/due", "missing"),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"delay":"1s","channel":"log","payload":1}"#,
            "/delay", "ambiguous"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":"soon","channel":"log","payload":1}"#,
            "/due", "time"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":-1,"channel":"log","payload":1}"#, "/due",
            "time"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1795300000,"channel":"log","payload":1}"#,
            "/due", "too_past"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":"2224-01-01T00:00:00Z","channel":"log","payload":1}"#,
            "/due", "too_far"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"fax","payload":1}"#,
            "/channel", "unknown"
        ),
        (
            #"{"id":"a","account":"nope","to":"o","due":1700000000000,"channel":"log","payload":1}"#,
            "/account", "unknown"
        ),
        (
            #"{"id":"a","to":"o","due":1700000000000,"channel":"log","payload":1}"#, "/account",
            "missing"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log"}"#,
            "/payload", "missing"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000005,"expires":1700000000005,"channel":"log","payload":1}"#,
            "/expires", "before_due"
        ),
        (
            #"{"id":"\u0061","account":"shop","to":"o","delay":"1h","expires":"2023-11-14T22:30:00Z","channel":"log","payload":1}"#,
            "/expires", "before_due"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":null}"#,
            "/payload", "missing"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"wechat","payload":1}"#,
            "/payload", "payload"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1,"prio":"high"}"#,
            "/prio", "unknown"
        ),
        (
            #"{"id":"a","id":"b","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#,
            "/id", "twice"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1,"priority":"top"}"#,
            "/priority", "value"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1,"merge":{"key":"k","grace":"100d"}}"#,
            "/merge/grace", "limit"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1} x"#,
            "",
            "json"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":[1,}"#,
            "",
            "json"
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":"\ud800"}"#,
            "",
            "json"
        ),
        ("[1]", "", "json"),
        ("null", "", "json"),
        ("{", "", "json"),
        (
            #"{"id":7,"account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#,
            "/id", "type"
        ),
    ]

    @Test("says what is wrong with a line, and accepts its neighbours", arguments: badLines)
    func bad(line: String, pointer: String, code: String) async throws {
        let fixture = try await ServerFixture()
        let good =
            #"{"id":"good-1","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#
        let other = good.replacing("good-1", with: "good-2")
        let (status, lines) = try await post("\(good)\n\(line)\n\(other)\n", fixture)
        #expect(status == 207)
        try #require(lines.count == 3)
        #expect(lines[1]["status"]?.string == "error")
        #expect(lines[1]["pointer"]?.string == pointer)
        #expect(lines[1]["code"]?.string == code)
        #expect(lines[1]["line"]?.integer == 2)
        #expect(fixture.timeline.pushes.keys.sorted { $0.text < $1.text } == ["good-1", "good-2"])
    }

    @Test("says so for an id of 10 kB, invalid UTF-8 and endless nesting, each on its own line")
    func hostile() async throws {
        let fixture = try await ServerFixture()
        let long = String(repeating: "i", count: 10_000)
        let deep = String(repeating: "[", count: 5000)
        var body = Array(
            #"{"id":"\#(long)","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#
                .utf8
        )
        body += [10] + Array(#"{"id":""#.utf8) + [0xC0, 0xAF] + Array(#""}"#.utf8) + [10]
        body += Array(#"{"id":"d","payload":\#(deep)"#.utf8) + [10]
        body += Array(
            #"{"id":"ok","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#
                .utf8
        )
        let (status, lines) = try await post(body, fixture)
        #expect(status == 207)
        #expect(lines.map { $0["code"]?.string } == ["limit", "utf8", "json", nil])
        #expect(lines[0]["detail"]?.string?.contains("10000 bytes") == true)
        #expect(fixture.timeline.pushes.keys.map(\.text) == ["ok"])
    }

    @Test("skips a line that is longer than a chunk, and goes on behind it")
    func endlessLine() async throws {
        let fixture = try await ServerFixture()
        let good =
            #"{"id":"good","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#
        let (status, lines) = try await post(
            String(repeating: "x", count: 700_000) + "\n" + good,
            fixture
        )
        #expect(status == 207)
        #expect(lines.map { $0["code"]?.string } == ["length", nil])
        #expect(fixture.timeline.pushes["good"] != nil)
    }

    @Test("schedules a large body in few, large batches")
    func batches() async throws {
        let fixture = try await ServerFixture()
        let body = (0..<20_000).map {
            #"{"id":"p\#($0)","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#
        }.joined(separator: "\n")
        let (status, lines) = try await post(body, fixture)
        #expect(status == 200)
        #expect(lines.count == 20_000)
        #expect(fixture.timeline.pushes.count == 20_000)
        #expect(fixture.timeline.batches.dropLast().allSatisfy { $0 >= 1000 })
    }

    @Test("answers with the timeline's own problem when it takes nothing")
    func full() async throws {
        let fixture = try await ServerFixture()
        fixture.timeline.fail(with: TimelineError(.full, "the disk is full"))
        let (status, lines) = try await post(
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1}"#,
            fixture
        )
        #expect(status == 507)
        #expect(lines.first?["code"]?.string == "full")
    }
}
