import BelfryChannels
import BelfryCore
import BelfrySimulation
import BelfryWeChat
import Hummingbird
import NIOCore
import Testing

@Suite("The WeChat channel")
struct WeChatChannelTests {
    private let clock = ManualClock()

    private func message(_ person: String, account: String = "a", body: String? = nil)
        -> OutboundMessage
    {
        OutboundMessage(
            id: PushID("\(account)/\(person)"),
            recipient: Recipient(account: account, person: person),
            body: Array((body ?? #"{"msgtype":"text","text":{"content":"你好 </a>"}}"#).utf8),
            due: clock.now()
        )
    }

    private func sender(_ caller: any HTTPCaller, _ base: String, _ account: String)
        -> WeChatSender
    {
        WeChatSender(
            client: WeChatClient(
                credentials: WeChatCredentials(appID: "wx_\(account)", secret: "s"),
                base: WeChatBaseURL(base),
                caller: caller,
                clock: clock
            )
        )
    }

    private func channel(_ caller: any HTTPCaller, _ base: String) -> WeChatChannel {
        let senders = ["a", "b"].map { ($0, sender(caller, base, $0)) }
        return WeChatChannel(clock: clock) { account in senders.first { $0.0 == account }?.1 }
    }

    /// Speaks as WeChat does; refuses the person `late`, and shows HTML to the person `proxy`.
    private static let wechat: @Sendable (SeenRequest) -> Response = { request in
        let text = String(decoding: request.body, as: UTF8.self)
        let answer =
            if request.path == "/cgi-bin/stable_token" {
                #"{"access_token":"T\#(text.contains("wx_a") ? "A" : "B")","expires_in":7200}"#
            } else if text.contains(#""touser":"late""#) {
                #"{"errcode":45015,"errmsg":"response out of time limit rid: 1"}"#
            } else if text.contains(#""touser":"proxy""#) {
                "<html>welcome</html>"
            } else {
                #"{"errcode":0,"errmsg":"ok"}"#
            }
        return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: answer)))
    }

    @Test("a batch of two accounts goes out, one call a message, each outcome in its place")
    func batch() async throws {
        try await withServer(Answering(Self.wechat)) { base, seen in
            try await withCaller { caller in
                var messages = (0..<40).map { message("o\($0)", account: $0 % 2 == 0 ? "a" : "b") }
                messages[7] = message("late", account: "b")
                messages[8] = message("proxy")
                messages[9] = message("x", account: "nobody")
                messages[10] = message("x", body: #"{"msgtype":"text","text":{"content":""}}"#)
                let outcomes = await channel(caller, base).send(messages)
                #expect(outcomes.count == 40)
                for (index, outcome) in outcomes.enumerated() {
                    switch (index, outcome) {
                    case (7, .refused(.window45015, _)), (8, .unknown), (9, .refused(.dead, _)),
                        (10, .refused(.dead, _)):
                        break
                    case (7...10, _): Issue.record("\(index): \(outcome)")
                    default: #expect(outcome == .sent(reference: nil))
                    }
                }
                let tokens = seen.requests.filter { $0.path == "/cgi-bin/stable_token" }
                #expect(tokens.count == 2)
                let texts = seen.requests.map { String(decoding: $0.body, as: UTF8.self) }
                #expect(
                    texts.contains(
                        #"{"touser":"o0","msgtype":"text","text":{"content":"你好 </a>"}}"#
                    )
                )
            }
        }
    }

    @Test("each interface has its channel; a template message has one name at every attempt")
    func interfaces() async throws {
        try await withServer(Answering(Self.wechat)) { base, seen in
            try await withCaller { caller in
                let sender = sender(caller, base, "a")
                var message = message(
                    "o1",
                    body: #"{"template_id":"T","data":{"thing1":{"value":"hi"}}}"#
                )
                let template = WeChatChannel(.template, clock: clock) { _ in sender }
                let subscribe = WeChatChannel(.subscribe, clock: clock) { _ in sender }
                #expect(template.name == "template" && subscribe.name == "subscribe")
                #expect(await template.send([message]) == [.sent(reference: nil)])
                message.attempt = 1
                #expect(await template.send([message]) == [.sent(reference: nil)])
                message.sequence = 2
                #expect(await template.send([message]) == [.sent(reference: nil)])
                #expect(await subscribe.send([message]) == [.sent(reference: "T")])
                let paths = seen.requests.map(\.path).filter { $0 != "/cgi-bin/stable_token" }
                #expect(
                    paths == Array(repeating: "/cgi-bin/message/template/send", count: 3)
                        + ["/cgi-bin/message/subscribe/bizsend"]
                )
                let bodies = seen.requests.dropFirst().map {
                    String(decoding: $0.body, as: UTF8.self)
                }
                #expect(bodies[0] == bodies[1] && bodies[1] != bodies[2])
                #expect(bodies[0].contains(#""client_msg_id":""#))
                message.body = Array(#"{"template_id":"T","data":{"phrase1":{"value":"no"}}}"#.utf8)
                guard case .refused(.dead, let cause) = await template.send([message])[0] else {
                    Issue.record("a wrong value was sent")
                    return
                }
                #expect(cause.message.contains("data.phrase1.value"))
            }
        }
    }

    @Test("an empty batch is nothing")
    func empty() async throws {
        try await withCaller { caller in
            #expect(await channel(caller, "http://127.0.0.1:1").send([]).isEmpty)
        }
    }
}
