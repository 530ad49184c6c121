import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import HTTPTypes
import Testing

@Suite("Topics and reminders over HTTP")
struct RemindersTests {
    private func opening(_ fixture: ServerFixture, in seconds: Int64 = 3600) -> Int64 {
        (fixture.clock.now() + .seconds(seconds)).milliseconds
    }

    private func content(_ fixture: ServerFixture, _ more: String = "", in seconds: Int64 = 3600)
        -> String
    {
        #"{"account":"shop","channel":"log","opening":\#(opening(fixture, in: seconds))\#(more)}"#
    }

    private func withTopic(_ more: String = "", _ body: (ServerFixture) async throws -> Void)
        async throws
    {
        let fixture = try await ServerFixture()
        let made = try await fixture.admin(.put, "/v1/topics/coupon", content(fixture, more))
        #expect(made.status == 201, "\(made.text)")
        try await body(fixture)
    }

    private func status(_ answer: Answer) -> String? { answer.json["status"]?.string }

    @Test("U+0000 is refused wherever a topic has words, and a time without end once")
    func wrongWords() async throws {
        let fixture = try await ServerFixture()
        func put(_ more: String) async throws -> [String] {
            let answer = try await fixture.admin(.put, "/v1/topics/coupon", content(fixture, more))
            #expect(answer.status == 422, "\(more)")
            return answer.pointers
        }
        #expect(try await put(#","title":"a\u0000b""#) == ["/title"])
        #expect(try await put(#","message":"a\u0000b""#) == ["/message"])
        #expect(try await put(#","message":{"text":["\u0000"]}"#) == ["/message"])
        let endless = try await fixture.admin(
            .put,
            "/v1/topics/coupon",
            #"{"account":"shop","channel":"log","opening":9223372036854775807}"#
        )
        #expect(endless.pointers == ["/opening"], "\(endless.text)")
    }

    @Test("a topic is made, shown, changed in part, listed and closed for good")
    func topic() async throws {
        let merge = #","lead":"5m","merge":{"mode":"collect","grace":"60s"},"priority":"high""#
        try await withTopic(merge) { fixture in
            let shown = try await fixture.admin(.get, "/v1/topics/coupon").json
            #expect(shown["merge"]?["max_wait"]?.string == "1m")
            #expect(shown["expires_after"]?.string == "1h" && shown["priority"]?.string == "high")
            #expect(shown["counts"]?["subscribed"]?.integer == 0)
            #expect(shown["moving"]?.bool == false && shown["revision"]?.integer == 1)
            let words = try await fixture.admin(
                .patch,
                "/v1/topics/coupon",
                #"{"title":"Coupon","message":"{{title}} {{time}}"}"#
            )
            #expect(words.status == 200 && words.json["revision"]?.integer == 1)
            let moved = try await fixture.admin(
                .patch,
                "/v1/topics/coupon",
                #"{"opening":\#(opening(fixture, in: 7200)),"expires_after":null,"merge":null}"#
            )
            #expect(moved.json["revision"]?.integer == 2 && moved.json["title"]?.string == "Coupon")
            #expect(moved.json["merge"] == .null && moved.json["expires"] == .null)
            let list = try await fixture.admin(.get, "/v1/topics?account=shop").json
            #expect(list["items"]?.array?.count == 1)
            let closed = try await fixture.admin(.delete, "/v1/topics/coupon")
            #expect(closed.status == 200 && closed.json["state"]?.string == "closed")
            #expect(try await fixture.admin(.delete, "/v1/topics/coupon").status == 200)
            let again = try await fixture.admin(.put, "/v1/topics/coupon", content(fixture))
            #expect(again.status == 409, "\(again.text)")
            #expect(try await fixture.admin(.get, "/v1/topics/none").status == 404)
            #expect(try await fixture.admin(.delete, "/v1/topics/none").status == 404)
        }
    }

    @Test(
        "each wrong member of a topic is named",
        arguments: [
            (#","lead":"x""#, ["/lead"]), (#","extra":1"#, ["/extra"]),
            (#","merge":{"mode":"all","grace":"1s"}"#, ["/merge/mode"]),
            (#","merge":{}"#, ["/merge/grace"]),
            (#","merge":{"grace":"2h"}"#, ["/expires_after"]),
            (#","message":"{{nickname}}""#, ["/message"]),
            (#","message":7"#, ["/message"]), (#","priority":"most""#, ["/priority"]),
        ]
    )
    func wrong(more: String, pointers: [String]) async throws {
        let fixture = try await ServerFixture()
        let answer = try await fixture.admin(.put, "/v1/topics/coupon", content(fixture, more))
        #expect(answer.status == 422 && answer.pointers == pointers, "\(answer.text)")
    }

    @Test("an opening that has passed, another account, channel or key are refused")
    func refused() async throws {
        let fixture = try await ServerFixture()
        for (path, body, pointer) in [
            ("coupon", content(fixture, in: 0), "/opening"),
            ("coupon", #"{"account":"shop","channel":"log"}"#, "/opening"),
            ("coupon", content(fixture).replacing("shop", with: "none"), "/account"),
            ("coupon", content(fixture).replacing("log", with: "none"), "/channel"),
            ("coupon", content(fixture).replacing("log", with: "wechat"), "/message"),
            ("a%20b", content(fixture), "/topic"),
        ] {
            let answer = try await fixture.admin(.put, "/v1/topics/\(path)", body)
            #expect(answer.status == 422 && answer.pointers == [pointer], "\(answer.text)")
        }
        try await withTopic { fixture in
            let other = content(fixture).replacing("shop", with: "none")
            let answer = try await fixture.admin(.put, "/v1/topics/coupon", other)
            #expect(answer.pointers == ["/account"])
        }
    }

    @Test(
        "subscribe, cancel, subscribe again: the last word wins, and each answer says what happened"
    )
    func lastWord() async throws {
        try await withTopic { fixture in
            let path = "/v1/reminders/coupon/o%2F1"
            let id: PushID = "reminder/coupon/o/1"
            #expect(try await fixture.admin(.get, path).status == 404)
            #expect(status(try await fixture.admin(.delete, path)) == "not_subscribed")
            let first = try await fixture.admin(.put, path)
            #expect(first.status == 200 && status(first) == "subscribed")
            #expect(fixture.timeline.pushes[id]?.due.milliseconds == opening(fixture))
            #expect(status(try await fixture.admin(.put, path)) == "already")
            #expect(fixture.timeline.batches == [1])
            #expect(status(try await fixture.admin(.delete, path)) == "cancelled")
            #expect(fixture.timeline.pushes[id] == nil)
            #expect(status(try await fixture.admin(.delete, path)) == "not_subscribed")
            #expect(status(try await fixture.admin(.put, path)) == "subscribed")
            #expect(fixture.timeline.pushes[id] != nil)
            let shown = try await fixture.admin(.get, path).json
            #expect(shown["state"]?.string == "subscribed" && shown["to"]?.string == "o/1")
            let mine = try await fixture.admin(.get, "/v1/reminders?account=shop&to=o%2F1").json
            #expect(mine["items"]?.array?.count == 1)
            #expect(try await fixture.admin(.get, "/v1/reminders").status == 422)
            #expect(try await fixture.admin(.put, "/v1/reminders/none/x").status == 404)
        }
    }

    @Test("who comes when the topic has opened, or was closed, is too late")
    func tooLate() async throws {
        try await withTopic { fixture in
            let start = fixture.clock.now()
            fixture.clock.set(start + .seconds(3599))
            let path = "/v1/reminders/coupon/"
            let early = try await fixture.admin(.put, path + "a")
            fixture.clock.set(start + .seconds(3600))
            let late = try await fixture.admin(.put, path + "b")
            #expect(status(early) == "subscribed" && status(late) == "too_late")
        }
        try await withTopic { fixture in
            #expect(try await fixture.admin(.delete, "/v1/topics/coupon").status == 200)
            let late = try await fixture.admin(.put, "/v1/reminders/coupon/a")
            #expect(late.status == 200 && status(late) == "too_late")
            #expect(fixture.timeline.pushes.isEmpty)
        }
    }

    @Test("what is wrong with the timeline is told, and nothing is recorded then")
    func full() async throws {
        try await withTopic { fixture in
            fixture.timeline.fail(with: TimelineError(.full, "no room"))
            let path = "/v1/reminders/coupon/a"
            let refused = try await fixture.admin(.put, path)
            let shown = try await fixture.admin(.get, path)
            #expect(refused.status == 507 && shown.status == 404)
            fixture.timeline.fail(with: nil)
            let accepted = try await fixture.admin(.put, path)
            #expect(status(accepted) == "subscribed")
        }
    }

    // MARK: Many at once

    private func bulk(_ fixture: ServerFixture, _ lines: [String]) async throws -> Answer {
        try await fixture.admin(
            .post,
            "/v1/reminders:bulk",
            lines.joined(separator: "\n"),
            headers: [.contentType: "application/x-ndjson"]
        )
    }

    private func statuses(_ answer: Answer) -> [String?] {
        answer.text.split(separator: "\n").map { JSONValue.parse(String($0))?["status"]?.string }
    }

    @Test("thousands are subscribed in few calls of the timeline, and again changes nothing")
    func many() async throws {
        try await withTopic { fixture in
            let lines = (0..<2500).map { #"{"topic":"coupon","to":"p\#($0)"}"# }
            let answer = try await bulk(fixture, lines)
            #expect(answer.status == 200)
            #expect(statuses(answer) == Array(repeating: "subscribed", count: 2500))
            #expect(fixture.timeline.batches == [1000, 1000, 500])
            #expect(statuses(try await bulk(fixture, lines)).allSatisfy { $0 == "already" })
            #expect(fixture.timeline.batches.count == 3)
            let cancel = (0..<2500).map {
                #"{"topic":"coupon","to":"p\#($0)","action":"cancel"}"#
            }
            #expect(statuses(try await bulk(fixture, cancel)).allSatisfy { $0 == "cancelled" })
            #expect(fixture.timeline.pushes.isEmpty)
        }
    }

    @Test("what a full timeline refuses is told, for each line once something was done")
    func fullBulk() async throws {
        try await withTopic { fixture in
            fixture.timeline.fail(with: TimelineError(.full, "no room"))
            let line = #"{"topic":"coupon","to":"a"}"#
            let nothing = try await bulk(fixture, [line])
            #expect(nothing.status == 507)
            fixture.timeline.fail(with: nil)
            _ = try await bulk(fixture, [line])
            fixture.timeline.fail(with: TimelineError(.full, "no room"))
            let first = Array(repeating: line, count: 1000)
            let some = try await bulk(fixture, first + [#"{"topic":"coupon","to":"b"}"#])
            #expect(some.status == 207)
            #expect(statuses(some) == Array(repeating: "already", count: 1000) + ["error"])
            #expect(some.text.contains(#""line":1001,"status":"error","code":"full""#))
        }
    }

    @Test("lines are worked out in order, and wrong ones do not keep the others out")
    func lines() async throws {
        try await withTopic { fixture in
            let answer = try await bulk(
                fixture,
                [
                    #"{"topic":"coupon","to":"a"}"#, "",
                    #"{"topic":"coupon","to":"a","action":"cancel"}"#,
                    #"{"topic":"coupon","to":"a","action":"subscribe"}"#,
                    #"{"topic":"coupon","to":"b"}"#,
                    #"{"topic":"coupon","to":"b","action":"cancel"}"#,
                    #"{"topic":"none","to":"a"}"#, #"{"topic":"coupon"}"#, "no json",
                    #"{"topic":"coupon","to":"a","action":"other"}"#,
                    #"{"topic":"coupon","to":"\#(String(repeating: "x", count: 9000))"}"#,
                    #"{"topic":"coupon","to":"c"}"#,
                ]
            )
            #expect(answer.status == 207)
            #expect(
                statuses(answer) == [
                    "subscribed", "cancelled", "subscribed", "subscribed", "cancelled", "error",
                    "error", "error", "error", "error", "subscribed",
                ]
            )
            let told = answer.text.split(separator: "\n").compactMap {
                JSONValue.parse(String($0))
            }
            #expect(told.compactMap { $0["line"]?.integer } == [7, 8, 9, 10, 11])
            #expect(
                told.compactMap { $0["code"]?.string }
                    == ["unknown_topic", "missing", "malformed", "value", "length"]
            )
            #expect(
                Set(fixture.timeline.pushes.keys) == ["reminder/coupon/a", "reminder/coupon/c"]
            )
        }
    }
}
