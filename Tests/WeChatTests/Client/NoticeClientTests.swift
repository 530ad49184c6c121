import BelfryCore
import BelfrySimulation
import BelfryWeChat
import Testing

@Suite("Sending template messages and notifications")
struct NoticeClientTests {
    private static let template = "/cgi-bin/message/template/send"
    private static let subscribe = "/cgi-bin/message/subscribe/bizsend"

    private let clock = ManualClock()
    private let message = TemplateMessage(
        templateID: "T1",
        fields: [TemplateField("thing1", "你好")]
    )
    private let notification = SubscribeNotification(
        templateID: "T2",
        fields: [TemplateField("thing1", "hi")]
    )

    private func fake(_ answer: Result<HTTPAnswer, HTTPFailure>) -> FakeWeChat {
        FakeWeChat { $0.path == Path.token ? .token("T1") : answer }
    }

    private func send(_ answer: Result<HTTPAnswer, HTTPFailure>) async -> SendOutcome {
        await WeChatClient.fake(fake(answer), clock).send(message, named: "c1", to: "o1")
    }

    @Test(
        "WeChat's id of a template message keeps all its digits",
        arguments: ["9007199254740993", "9223372036854775807", "18446744073709551615"]
    )
    func messageID(id: String) async {
        let fake = fake(.json(#"{"errcode":0,"errmsg":"ok","msgid":\#(id)}"#))
        let outcome = await WeChatClient.fake(fake, clock).send(message, named: "c1", to: "o1")
        #expect(outcome == .sent(reference: id))
        #expect(fake.count(Self.template) == 1)
        #expect(
            fake.requests[1].text
                == #"{"touser":"o1","template_id":"T1","client_msg_id":"c1","data":{"thing1":{"value":"你好"}}}"#
        )
    }

    @Test("a notification, which WeChat gives no id, is referred to by its template")
    func notice() async {
        let fake = fake(.ok)
        let outcome = await WeChatClient.fake(fake, clock).send(notification, to: "o1")
        #expect(outcome == .sent(reference: "T2"))
        #expect(fake.count(Self.subscribe) == 1)
        #expect(
            fake.requests[1].text
                == #"{"touser":"o1","template_id":"T2","data":{"thing1":{"value":"hi"}}}"#
        )
    }

    @Test("a template message whose answer is lost may be repeated, a notification may not")
    func unknown() async {
        for answer: Result<HTTPAnswer, HTTPFailure> in [
            .failure(.noAnswer), .json("<html>", status: 502), .json(#"{"status":"fine"}"#),
        ] {
            guard case .repeatable(TemplateMessage.repetition, _) = await send(answer) else {
                Issue.record("\(await send(answer))")
                continue
            }
            let other = await WeChatClient.fake(fake(answer), clock).send(notification, to: "o1")
            guard case .unknown = other else {
                Issue.record("\(other)")
                continue
            }
        }
        #expect(TemplateMessage.repetition < .minutes(10))
    }

    @Test("what forbids only this interface ends the message, what forbids all stops the account")
    func scope() async {
        for (code, expected) in [
            (45009, Outcome.quotaDay), (48001, .dead), (48004, .dead), (61007, .dead),
            (43004, .unsubscribed), (43101, .refused43101), (47003, .dead), (40037, .dead),
        ] {
            guard case .refused(expected, let cause) = await send(.error(code)) else {
                Issue.record("\(code): \(await send(.error(code)))")
                continue
            }
            #expect(cause.code == "\(code)")
        }
        for code in [40013, 40164, 43106, 50002] {
            guard case .stopAccount = await send(.error(code)) else {
                Issue.record("\(code): \(await send(.error(code)))")
                continue
            }
        }
        guard case .retry = await send(.error(-1)) else {
            Issue.record("-1 must be retried")
            return
        }
    }

    @Test("a void token is replaced and the message repeated once, here too")
    func freshToken() async {
        let counter = Counter()
        let fake = FakeWeChat { request in
            if request.path == Path.token { return .token("T\(counter.next())") }
            return request.query == "access_token=T1" ? .error(42001) : .ok
        }
        let outcome = await WeChatClient.fake(fake, clock).send(message, named: "c1", to: "o1")
        #expect(outcome == .sent(reference: nil))
        #expect(fake.count(Self.template) == 2)
    }
}
