import Testing

@testable import BelfryWeChatSimulator

@Suite("Callbacks")
struct CallbackTests {
    @Test(
        "each mode signs and encrypts as it says",
        arguments: [AccountSettings.Mode.plain, .compat, .safe]
    )
    func modes(_ mode: AccountSettings.Mode) async throws {
        let bench = Bench { $0.mode = mode }
        let sink = CallbackSink()
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            let report = try await bench.simulator.follow(account.appID, scene: "booth-3")
            #expect(report.outcome == .acknowledged)
            #expect(report.attempts == 1)
            let request = try #require(sink.received.first)
            let query = request.query
            #expect(query["tenant"] == "7")
            #expect(query["openid"] == report.openID)
            let timestamp = try #require(query["timestamp"])
            let nonce = try #require(query["nonce"])
            #expect(query["signature"] == Signature.of(account.token, timestamp, nonce))
            let outer = try XMLElement.parse(Array(request.body.utf8))
            let encrypted = outer.value("Encrypt")
            #expect((encrypted == nil) == (mode == .plain))
            #expect((outer.value("Event") == nil) == (mode == .safe))
            #expect(query["encrypt_type"] == (mode == .plain ? nil : "aes"))
            #expect(
                query["msg_signature"]
                    == encrypted.map { Signature.of(account.token, timestamp, nonce, $0) }
            )
            let event = try request.opened(account)
            #expect(event.value("Event") == "subscribe")
            #expect(event.value("EventKey") == "qrscene_booth-3")
            #expect(event.value("FromUserName") == report.openID)
            #expect(event.value("ToUserName") == account.originalID)
            #expect(event.value("MsgId") == nil)
        }
    }

    @Test("an account may have JSON callbacks")
    func json() async throws {
        let bench = Bench {
            $0.mode = .plain
            $0.bodyFormat = .json
        }
        let sink = CallbackSink()
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            let openID = try await bench.person(.say("hi"))
            let body = try #require(sink.received.first?.body)
            let value = try JSONValue.parse(Array(body.utf8))
            #expect(value["Content"] == "hi")
            #expect(value["FromUserName"]?.string == openID)
            #expect(value["ToUserName"]?.string == account.originalID)
            #expect((value["MsgId"]?.integer ?? 0) > 1 << 53)
        }
    }

    @Test("text survives, also the end mark of CDATA and four-byte characters")
    func text() async throws {
        let bench = Bench()
        let sink = CallbackSink()
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            let said = "a]]>b ]]]]>> <xml> & 你好 🎉"
            _ = try await bench.person(.say(said))
            let message = try #require(sink.received.first).opened(account)
            #expect(message.value("Content") == said)
        }
    }

    @Test("without an answer it is pushed three times: the same message, newly signed")
    func attempts() async throws {
        let bench = Bench()
        let sink = CallbackSink { _, before in before < 2 ? .reset : .body("success") }
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            let report = try await bench.simulator.say("hi", by: "o1", to: account.appID)
            #expect(report.attempts == 3)
            #expect(report.outcome == .acknowledged)
            let requests = sink.received
            #expect(requests.count == 3)
            let opened = try requests.map { try $0.opened(account) }
            #expect(Set(opened).count == 1)
            #expect(Set(requests.map { $0.query["nonce"] }).count == 3)
            // Signed with the simulator's time; how far apart they are depends on what an attempt takes.
            let times = requests.compactMap { $0.query["timestamp"].flatMap { Int64($0) } }
            #expect(times.count == 3 && times == times.sorted())
            #expect(Set(requests.map { $0.query["msg_signature"] }).count == 3)
        }
        #expect(bench.simulator.summary.unavailable == 0)
    }

    @Test("after the last attempt the person sees that the service is unavailable")
    func unavailable() async throws {
        let bench = Bench { $0.attempts = 4 }
        let sink = CallbackSink { _, _ in .status(500) }
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            let report = try await bench.simulator.say("hi", by: "o1", to: account.appID)
            #expect(report.attempts == 4)
            #expect(report.outcome == .failed("status 500"))
            #expect(sink.received.count == 4)
        }
        #expect(bench.simulator.deliveries().map(\.kind) == [.unavailable])
        #expect(bench.simulator.summary.callbacksFailed == 1)
    }

    @Test("an answer that does not come in time is cut off, and the callback pushed again")
    func cutOff() async throws {
        let bench = Bench { $0.answerTimeout = .milliseconds(20) }
        let sink = CallbackSink { _, _ in .hang }
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            let report = try await bench.simulator.follow(account.appID)
            #expect(report.attempts == 3)
            guard case .failed(let reason) = report.outcome else {
                Issue.record("\(report.outcome)")
                return
            }
            #expect(reason.hasPrefix("no answer"))
        }
    }

    @Test("a crowd follows at once, everybody with a callback of their own")
    func crowd() async throws {
        let bench = Bench()
        let sink = CallbackSink()
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            let report = try await bench.simulator.crowd(300, following: account.appID)
            #expect(report.answered == 300)
            #expect(Set(sink.received.map { $0.query["openid"] }).count == 300)
        }
        #expect(bench.simulator.summary.callbacksAnswered == 300)
    }

    @Test("callbacks can come again after success, and out of order")
    func disorder() async throws {
        let bench = Bench()
        let sink = CallbackSink()
        try await sink.serve { url in
            let account = bench.pointed(at: url)
            try bench.simulator.disorder(CallbackDisorder(duplicates: 1), of: account.appID)
            try await bench.simulator.say("one", by: "o1", to: account.appID)
            #expect(sink.received.count == 2)
            try bench.simulator.holdCallbacks(of: account.appID)
            try await bench.simulator.follow(account.appID, openID: "o2")
            bench.clock.advance(seconds: 1)
            let held = try await bench.simulator.unfollow(account.appID, openID: "o2")
            #expect(held.outcome == .held)
            #expect(sink.received.count == 2)
            try await bench.simulator.releaseCallbacks(
                of: account.appID,
                order: .reversed,
                copies: 2
            )
            let events = try sink.received.dropFirst(2).map {
                try $0.opened(account).value("Event")
            }
            #expect(events == ["unsubscribe", "unsubscribe", "subscribe", "subscribe"])
        }
        // The books follow what happened, not what was pushed.
        let follows = try bench.simulator.follows("o2", bench.account.appID)
        #expect(!follows)
    }

    @Test("the address is verified with a plain echostr, also in safe mode")
    func verification() async throws {
        let bench = Bench()
        let good = CallbackSink { request, _ in .body(request.query["echostr"] ?? "") }
        try await good.serve { url in
            let account = bench.pointed(at: url)
            let verdict = try await bench.simulator.verifyCallback(of: account.appID)
            #expect(verdict == .passed)
            #expect(good.received.first?.method == "GET")
        }
        let bad = CallbackSink { request, _ in .body((request.query["echostr"] ?? "") + "\n") }
        try await bad.serve { url in
            let account = bench.pointed(at: url)
            let verdict = try await bench.simulator.verifyCallback(of: account.appID)
            #expect(verdict == .failed("the answer is not the echostr"))
        }
    }

    @Test("after a change of the key, callbacks come with the new one")
    func rotation() async throws {
        let bench = Bench()
        let sink = CallbackSink()
        try await sink.serve { url in
            var account = bench.pointed(at: url)
            account.encodingAESKey = AccountSettings.sample("other").encodingAESKey
            bench.simulator.put(account)
            _ = try await bench.person(.say("hi"))
            let request = try #require(sink.received.first)
            let message = try request.opened(account)
            #expect(message.value("Content") == "hi")
            #expect(throws: EnvelopeError.self) { try request.opened(bench.account) }
        }
    }
}

extension Bench {
    /// The account, with callbacks pushed to this URL.
    func pointed(at url: String) -> AccountSettings {
        var account = account
        account.callbackURL = url
        simulator.put(account)
        return account
    }
}
