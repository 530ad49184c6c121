import Testing

@testable import BelfryWeChatSimulator

@Suite("Customer-service messages")
struct MessageTests {
    private static let long = String(repeating: "好", count: 683)

    @Test(
        "what is wrong with a message has its own code",
        arguments: [
            (#""msgtype":"text","text":{"content":""}"#, 44_004),
            (#""msgtype":"text","text":{"content":"\#(long)"}"#, 45_002),
            (#""msgtype":"text","text":"hi""#, 47_001),
            (#""msgtype":"text""#, 47_001),
            (#""msgtype":"text","text":{"content":"\u4f60"}"#, 47_002),
            (#""msgtype":"hologram","hologram":{}"#, 40_008),
            (#""text":{"content":"hi"}"#, 40_008),
            (#""msgtype":"image","image":{"media_id":"none"}"#, 40_007),
            (#""msgtype":"voice","voice":{}"#, 40_007),
            (#""msgtype":"news","news":{"articles":[]}"#, 44_003),
            (#""msgtype":"news","news":{"articles":[{"title":"a"},{"title":"b"}]}"#, 45_008),
            (#""msgtype":"news","news":{"articles":[{"title":"\#(long)"}]}"#, 45_003),
            (#""msgtype":"msgmenu","msgmenu":{"list":[]}"#, 45_098),
            (#""msgtype":"msgmenu","msgmenu":{"list":[{"id":"1","content":"\#(long)"}]}"#, 45_099),
            (#""msgtype":"wxcard","wxcard":{}"#, 47_001),
            (#""msgtype":"mpnewsarticle","mpnewsarticle":{}"#, 53_600),
            (#""msgtype":"link","link":{"title":"a"}"#, 48_008),
            (
                #""msgtype":"text","text":{"content":"hi"},"customservice":{"kf_account":"x"}"#,
                61_452
            ),
            (#""msgtype":"text","text":{"content":"hi"}"#, 0),
            (#""msgtype":"text","text":{"content":"a \\u4f60 <b> \" 你好 🎉"}"#, 0),
            (#""msgtype":"news","news":{"articles":[{"title":"a","url":"http://a/"}]}"#, 0),
            (#""msgtype":"msgmenu","msgmenu":{"list":[{"id":"1","content":"yes"}]}"#, 0),
            (
                #""msgtype":"text","text":{"content":"hi"},"customservice":{"kf_account":"a@b"}"#,
                0
            ),
        ] as [(String, Int64)]
    )
    func payload(_ message: String, _ code: Int64) async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        #expect(bench.send(message, to: openID) == code)
        #expect(bench.simulator.count == (code == 0 ? 1 : 0))
        #expect(bench.simulator.refusals().map(\.code) == (code == 0 ? [] : [Int(code)]))
    }

    @Test("a body that is empty, no JSON or no UTF-8 is refused, as is an unknown person")
    func bodies() async throws {
        let bench = Bench()
        let path = "message/custom/send"
        #expect(bench.call(path, "")["errcode"] == 44_002)
        #expect(bench.call(path, "<xml/>")["errcode"] == 47_001)
        #expect(bench.call(path, "[1]")["errcode"] == 47_001)
        #expect(bench.call(path, method: "GET")["errcode"] == 43_002)
        let bytes = Array(#"{"touser":""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8)
        guard case .json(let value) = bench.call(path, raw: bytes) else { return }
        #expect(value["errcode"] == 47_001)
        #expect(bench.sendText("hi", to: "oNobody") == 40_003)
        #expect(bench.call("menu/create", "{}")["errcode"] == 40_066)
    }

    @Test("media that were uploaded can be sent, for three days, by this account only")
    func media() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        let temporary = try bench.simulator.addMedia(
            .image,
            temporary: true,
            to: bench.account.appID
        )
        let other = AccountSettings.sample("other")
        bench.simulator.put(other)
        let foreign = try bench.simulator.addMedia(.image, to: other.appID)
        func send(_ id: String) -> Int64? {
            bench.send(#""msgtype":"image","image":{"media_id":"\#(id)"}"#, to: openID)
        }
        #expect(send(temporary) == 0)
        #expect(send(foreign) == 40_007)
        bench.clock.advance(seconds: 3 * 86_400)
        try await bench.simulator.say("hi", by: openID, to: bench.account.appID)
        #expect(send(temporary) == 40_007)
    }

    @Test("an unverified account may not send, a test account may not send menus")
    func standing() async throws {
        let unverified = Bench { $0.standing = .unverified }
        var openID = try await unverified.person(.follow())
        #expect(unverified.sendText("hi", to: openID) == 48_001)
        let test = Bench { $0.standing = .test }
        openID = try await test.person(.follow())
        let menu = #""msgtype":"msgmenu","msgmenu":{"list":[{"id":"1","content":"yes"}]}"#
        #expect(test.send(menu, to: openID) == 40_200)
        #expect(test.sendText("hi", to: openID) == 0)
    }

    @Test("where escapes are shown literally, the delivery is marked as garbled")
    func garbled() async throws {
        let bench = Bench { $0.escapes = .showLiterally }
        let openID = try await bench.person(.follow())
        #expect(bench.sendText(#"\u4f60"#, to: openID) == 0)
        #expect(bench.simulator.deliveries().first?.garbled == true)
    }

    @Test("typing is shown for 15 s, within 30 s of the person's last action")
    func typing() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        func type(_ command: String) -> JSONValue? {
            bench.call(
                "message/custom/typing",
                #"{"touser":"\#(openID)","command":"\#(command)"}"#
            )["errcode"]
        }
        #expect(type("Typing") == 0)
        #expect(type("Typing") == 45_081)
        #expect(type("CancelTyping") == 0)
        #expect(type("Typing") == 0)
        #expect(bench.sendText("hi", to: openID) == 0)
        #expect(type("Typing") == 0)
        #expect(type("Dancing") == 45_072)
        bench.clock.advance(seconds: 31)
        #expect(type("Typing") == 45_080)
    }

    @Test("the same message twice in one follow session counts as duplicated")
    func duplicated() async throws {
        let bench = Bench()
        let openID = try await bench.person(.follow())
        #expect(bench.sendText("hi", to: openID) == 0)
        #expect(bench.sendText("hello", to: openID) == 0)
        #expect(bench.simulator.summary.duplicated == 0)
        #expect(bench.sendText("hi", to: openID) == 0)
        #expect(bench.simulator.summary.duplicated == 1)
        try await bench.simulator.unfollow(bench.account.appID, openID: openID)
        try await bench.simulator.follow(bench.account.appID, openID: openID)
        #expect(bench.sendText("hi", to: openID) == 0)
        #expect(bench.simulator.summary.duplicated == 1)
        #expect(bench.simulator.summary.custom == 4)
    }

    @Test("the log keeps the newest, the counters everything")
    func ring() {
        var ring = Ring<Int>(capacity: 4)
        for number in 1...10 { ring.append(number) }
        #expect(ring.total == 10)
        #expect(ring.since(0) == [7, 8, 9, 10])
        #expect(ring.since(8) == [9, 10])
        #expect(ring.since(10) == [])
        var short = Ring<Int>(capacity: 4)
        short.append(1)
        short.append(2)
        #expect(short.since(1) == [2])
    }
}
