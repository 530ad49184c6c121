import BelfryCore
import BelfrySimulation
import BelfryWeChat
import Testing

@Suite("Sending messages")
struct WeChatClientTests {
    private let clock = ManualClock()

    /// A WeChat that gives tokens T1, T2 … and answers messages by script.
    private func fake(
        _ send: @escaping @Sendable (FakeWeChat.Request) async -> Result<HTTPAnswer, HTTPFailure>
    ) -> FakeWeChat {
        let counter = Counter()
        return FakeWeChat { request in
            request.path == Path.token ? .token("T\(counter.next())") : await send(request)
        }
    }

    private func outcome(
        _ answer: @escaping @autoclosure @Sendable () -> Result<HTTPAnswer, HTTPFailure>
    ) async -> SendOutcome {
        await WeChatClient.fake(fake { _ in answer() }, clock).send(.text("hi"), to: "o1")
    }

    @Test("an accepted message is sent, once, as raw UTF-8")
    func sent() async {
        let fake = fake { _ in .ok }
        let text = "你好 </script> \u{2028} 😀 \"q\""
        let outcome = await WeChatClient.fake(fake, clock).send(.text(text), to: "o1")
        #expect(outcome == .sent(reference: nil))
        #expect(fake.count(Path.send) == 1)
        #expect(
            fake.requests[1].text
                == #"{"touser":"o1","msgtype":"text","text":{"content":"你好 </script> \#u{2028} 😀 \"q\""}}"#
        )
        #expect(fake.requests[1].query == "access_token=T1")
    }

    @Test(
        "a void token is replaced and the message repeated once",
        arguments: [40001, 40014, 42001]
    )
    func freshToken(code: Int) async {
        let fake = fake { $0.query == "access_token=T1" ? .error(code) : .ok }
        let outcome = await WeChatClient.fake(fake, clock).send(.text("hi"), to: "o1")
        #expect(outcome == .sent(reference: nil))
        #expect(fake.count(Path.send) == 2)
        #expect(fake.count(Path.token) == 2)
    }

    @Test("a message whose fresh token is refused too waits: no recursion, no stop")
    func refusedTwice() async {
        let fake = fake { _ in .error(40001) }
        let outcome = await WeChatClient.fake(fake, clock).send(.text("hi"), to: "o1")
        guard case .retry(let after, let cause) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(after == .seconds(30))
        #expect(cause.code == "40001")
        #expect(fake.count(Path.send) == 2)
    }

    @Test("many messages that meet the same void token fetch one new one")
    func herd() async {
        let fake = fake { $0.query == "access_token=T1" ? .error(42001) : .ok }
        let client = WeChatClient.fake(fake, clock)
        let outcomes = await withTaskGroup(of: SendOutcome.self) { group in
            for _ in 0..<50 { group.addTask { await client.send(.text("hi"), to: "o1") } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes == Array(repeating: .sent(reference: nil), count: 50))
        #expect(fake.count(Path.token) == 2)
    }

    @Test("a wrong secret, or an address that is not whitelisted, stops the account without a loop")
    func badSecret() async {
        for code in [40001, 40013, 40125, 40164, 40243, 89503] {
            let fake = FakeWeChat { _ in .error(code) }
            let outcome = await WeChatClient.fake(fake, clock).send(.text("hi"), to: "o1")
            guard case .stopAccount(let cause) = outcome else {
                Issue.record("\(code): \(outcome)")
                continue
            }
            #expect(cause.code == String(code))
            #expect(fake.requests.count == 1)
        }
    }

    @Test("a closed window and a used count end the push with their own words")
    func windows() async {
        for (code, expected) in [
            (45015, Outcome.window45015), (45047, .count45047), (43101, .refused43101),
            (43004, .unsubscribed), (40003, .dead), (45002, .dead),
        ] {
            guard case .refused(let outcome, let cause) = await outcome(.error(code)) else {
                Issue.record("\(code) was not refused")
                continue
            }
            #expect(outcome == expected)
            #expect(cause.code == String(code))
            #expect(cause.message.contains("rid: 1-2-3"), "support needs the request id")
        }
    }

    @Test("a busy system is tried again, a busy minute after a minute")
    func busy() async {
        guard case .retry(nil, _) = await outcome(.error(-1)) else {
            Issue.record("-1 must be retried")
            return
        }
        guard case .retry(.some(.minutes(1)), _) = await outcome(.error(45011)) else {
            Issue.record("45011 must wait a minute")
            return
        }
    }

    @Test("where WeChat may have taken the message, its fate is unknown and it is not sent again")
    func unknown() async {
        let html = "<html><body>502 Bad Gateway</body></html>"
        let answers: [(String, Result<HTTPAnswer, HTTPFailure>)] = [
            ("no_answer", .failure(.noAnswer)), ("too_large", .failure(.tooLarge)),
            ("http_502", .json(html, status: 502)), ("http_504", .json("", status: 504)),
            ("http_500", .json("oops", status: 500)), ("unreadable_answer", .json(html)),
            ("unreadable_answer", .json("")), ("unreadable_answer", .json(#"{"errco"#)),
            ("unreadable_answer", .json(#"{"status":"fine"}"#)),
            ("unreadable_answer", .success(HTTPAnswer(status: 200, body: [0xFF, 0xFE]))),
        ]
        for (code, answer) in answers {
            let fake = fake { _ in answer }
            let outcome = await WeChatClient.fake(fake, clock).send(.text("hi"), to: "o1")
            guard case .unknown(let cause) = outcome else {
                Issue.record("\(code): \(outcome)")
                continue
            }
            #expect(cause.code == code)
            #expect(fake.count(Path.send) == 1)
        }
    }

    @Test("WeChat's own error counts whatever the HTTP status")
    func statusAndError() async {
        guard
            case .refused(.window45015, _) = await outcome(
                .json(#"{"errcode":45015,"errmsg":"x"}"#, status: 500)
            )
        else {
            Issue.record("the error code was not looked at")
            return
        }
    }

    @Test("where the request surely did not arrive, it is tried again")
    func notAccepted() async {
        for answer: Result<HTTPAnswer, HTTPFailure> in [
            .json("", status: 404), .json("<html>", status: 403),
            .json("", status: 302),
        ] {
            guard case .retry = await outcome(answer) else {
                Issue.record("not tried again: \(answer)")
                continue
            }
        }
        guard case .unreachable = await outcome(.failure(.notConnected)) else {
            Issue.record("nobody was there")
            return
        }
        let limited = HTTPAnswer(status: 429, headers: [("Retry-After", " 7 ")])
        guard case .retry(.some(.seconds(7)), _) = await outcome(.success(limited)) else {
            Issue.record("Retry-After was not read")
            return
        }
    }

    @Test("a base URL that may not be called stops the account")
    func forbidden() async {
        guard case .stopAccount = await outcome(.failure(.forbidden)) else {
            Issue.record("must stop")
            return
        }
    }

    @Test(
        "before the message itself nothing can have been accepted: a hanging token call is no unknown"
    )
    func tokenHangs() async {
        let fake = FakeWeChat { _ in .failure(.noAnswer) }
        let outcome = await WeChatClient.fake(fake, clock).send(.text("hi"), to: "o1")
        guard case .unreachable = outcome else {
            Issue.record("must be tried again")
            return
        }
    }

    @Test("a user's data is read, and a stranger's lack of it too")
    func users() async throws {
        let fake = fake { request in
            request.query.contains("openid=o%2F1")
                ? .json(
                    #"{"subscribe":1,"openid":"o/1","subscribe_time":1714037059,"unionid":"u","remark":"","groupid":0,"tagid_list":[128,2],"subscribe_scene":"ADD_SCENE_QR_CODE","qr_scene":98765,"qr_scene_str":"","language":"zh_CN"}"#
                ) : .json(#"{"subscribe":0,"openid":"o2"}"#)
        }
        let client = WeChatClient.fake(fake, clock)
        let user = try await client.user("o/1")
        #expect(user.follows)
        #expect(user.unionID == "u")
        #expect(user.followed == .seconds(1_714_037_059))
        #expect(user.tagIDs == [128, 2])
        #expect(user.scene == "ADD_SCENE_QR_CODE")
        #expect(user.qrScene == "98765")
        let stranger = try await client.user("o2")
        #expect(!stranger.follows)
        #expect(stranger.followed == nil)
    }

    @Test("typing is asked for by its command")
    func typing() async throws {
        let fake = fake { _ in .ok }
        let client = WeChatClient.fake(fake, clock)
        try await client.typing(true, to: "o1")
        try await client.typing(false, to: "o1")
        #expect(fake.requests[1].text == #"{"touser":"o1","command":"Typing"}"#)
        #expect(fake.requests[2].text == #"{"touser":"o1","command":"CancelTyping"}"#)
    }
}
