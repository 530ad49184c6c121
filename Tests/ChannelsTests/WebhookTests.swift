import BelfryChannels
import BelfryCore
import BelfrySimulation
import Hummingbird
import NIOCore
import Testing

@Suite("Webhooks")
struct WebhookTests {
    private let clock = ManualClock(.seconds(1_614_265_330))
    private static let secretText = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private func secret(_ text: String = secretText) throws -> WebhookSecret {
        try #require(WebhookSecret(text))
    }

    private func message(_ id: String = "a", body: String = #"{"test": 2432232314}"#)
        -> OutboundMessage
    {
        OutboundMessage(
            id: PushID(id),
            recipient: Recipient(account: "acc", person: "你"),
            body: Array(body.utf8),
            due: .seconds(1),
            sequence: 7
        )
    }

    private func channel(
        _ caller: any HTTPCaller,
        _ url: String?,
        allowed: [String] = ["127.0.0.1"],
        timeout: Duration = .seconds(10)
    ) throws -> WebhookChannel {
        let target = WebhookTarget(
            url: url ?? "",
            secrets: [try secret()],
            timeout: timeout
        )
        return WebhookChannel(
            caller: caller,
            guardian: WebhookGuard(allowed: .init(allowed), clock: clock),
            clock: clock
        ) { account in
            account == "acc" && url != nil ? target : nil
        }
    }

    // MARK: Signatures

    @Test("the signature is the specification's own")
    func vector() throws {
        let signature = WebhookSignature.sign(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            seconds: 1_614_265_330,
            body: Array(#"{"test": 2432232314}"#.utf8),
            secrets: [try secret()]
        )
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test("a receiver believes what was signed, refuses what was changed, and what is stale")
    func verify() throws {
        let body = Array("{}".utf8)
        var random = SplitMix64(seed: 1)
        let new = try secret(WebhookSecret.generate(using: &random))
        let old = try secret()
        let signature = WebhookSignature.sign(
            id: "msg_1",
            seconds: 1_614_265_330,
            body: body,
            secrets: [new, old]
        )
        func refusal(
            _ id: String = "msg_1",
            timestamp: String = "1614265330",
            signature: String? = nil,
            body: [UInt8] = Array("{}".utf8),
            secrets: [WebhookSecret],
            after: Duration = .zero,
            signed: String
        ) -> WebhookSignature.Refusal? {
            do {
                try WebhookSignature.verify(
                    id: id,
                    timestamp: timestamp,
                    signature: signature ?? signed,
                    body: body,
                    secrets: secrets,
                    now: .seconds(1_614_265_330) + after
                )
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(secrets: [old], signed: signature) == nil)
        #expect(refusal(secrets: [new], signed: signature) == nil)
        #expect(refusal(secrets: [old], after: .seconds(300), signed: signature) == nil)
        #expect(refusal(secrets: [old], after: .seconds(301), signed: signature) == .stale)
        #expect(refusal(secrets: [old], after: .seconds(-301), signed: signature) == .stale)
        #expect(refusal("msg_2", secrets: [old], signed: signature) == .forged)
        #expect(
            refusal(timestamp: "1614265331", secrets: [old], signed: signature) == .forged
        )
        #expect(refusal(body: [1], secrets: [old], signed: signature) == .forged)
        #expect(refusal(secrets: [], signed: signature) == .forged)
        #expect(refusal(signature: "", secrets: [old], signed: signature) == .forged)
        #expect(refusal(signature: "v2,AAAA v1,!", secrets: [old], signed: signature) == .forged)
        #expect(refusal(timestamp: "x", secrets: [old], signed: signature) == .malformed)
        #expect(refusal("", secrets: [old], signed: signature) == .malformed)
    }

    @Test(
        "what is no secret is refused",
        arguments: ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!"]
    )
    func badSecrets(text: String) {
        #expect(WebhookSecret(text) == nil)
    }

    @Test("a secret does not show itself")
    func hidden() throws {
        #expect(try !"\(secret())".contains("MfKQ"))
    }

    // MARK: Sending

    @Test("a message arrives signed, and its receiver can verify it")
    func arrives() async throws {
        try await withServer(Answering { _ in Response(status: .noContent) }) { base, seen in
            try await withCaller { caller in
                let outcomes = try await channel(caller, "\(base)/hook").send([message()])
                #expect(outcomes == [.sent(reference: nil)])
                let request = try #require(seen.requests.first)
                #expect(request.path == "/hook")
                #expect(request.headers["content-type"] == "application/json")
                try WebhookSignature.verify(
                    id: request.headers["webhook-id"] ?? "",
                    timestamp: request.headers["webhook-timestamp"] ?? "",
                    signature: request.headers["webhook-signature"] ?? "",
                    body: request.body,
                    secrets: [secret()],
                    now: clock.now()
                )
                #expect(request.body == message().body)
            }
        }
    }

    @Test("an attempt keeps its id, another version or person has another")
    func ids() async throws {
        try await withServer(Answering { _ in Response(status: .ok) }) { base, seen in
            try await withCaller { caller in
                let channel = try channel(caller, base)
                var retry = message()
                retry.attempt = 3
                retry.due = .seconds(99)
                var next = message()
                next.sequence = 8
                var other = message()
                other.recipient.person = "你2"
                for one in [message(), retry, next, other] { _ = await channel.send([one]) }
                let ids = seen.requests.map { $0.headers["webhook-id"] }
                #expect(ids.count == 4)
                #expect(ids.first == ids.dropFirst().first)
                #expect(Set(ids).count == 3)
            }
        }
    }

    @Test("what a merge collected comes as an array, oldest first")
    func collected() async throws {
        try await withServer(Answering { _ in Response(status: .ok) }) { base, seen in
            try await withCaller { caller in
                var message = message(body: "3")
                message.collected = [Array("1".utf8), Array("2".utf8)]
                _ = try await channel(caller, base).send([message])
                #expect(seen.requests.first?.body == Array("[1,2,3]".utf8))
            }
        }
    }

    @Test("many messages go out at once, and each outcome stands at its message's place")
    func order() async throws {
        try await withServer(
            Answering { request in
                Response(status: request.body == Array("13".utf8) ? .badRequest : .ok)
            }
        ) { base, seen in
            try await withCaller { caller in
                let messages = (0..<100).map { message("m\($0)", body: "\($0)") }
                let outcomes = try await channel(caller, base).send(messages)
                #expect(outcomes.count == 100)
                #expect(seen.requests.count == 100)
                for (index, outcome) in outcomes.enumerated() {
                    #expect((outcome == .sent(reference: nil)) == (index != 13))
                }
            }
        }
    }

    @Test(
        "each status has its outcome",
        arguments: [
            (200, "sent"), (202, "sent"), (301, "refused"), (307, "refused"), (400, "refused"),
            (401, "refused"), (404, "refused"), (408, "retry"), (410, "refused"), (413, "refused"),
            (425, "retry"), (429, "retry"), (500, "unreachable"), (502, "unreachable"),
            (503, "unreachable"), (504, "unreachable"),
        ]
    )
    func statuses(status: Int, expected: String) async throws {
        try await withServer(
            Answering { _ in
                Response(
                    status: .init(code: status),
                    headers: [.retryAfter: "5", .location: "http://169.254.169.254/latest"],
                    body: .init(byteBuffer: ByteBuffer(string: "<html>"))
                )
            }
        ) { base, seen in
            try await withCaller { caller in
                let outcome = try await channel(caller, base).send([message()])[0]
                switch outcome {
                case .sent: #expect(expected == "sent")
                case .retry(let after, let cause):
                    #expect(expected == "retry")
                    #expect(after == .seconds(5))
                    #expect(cause.code == "http_\(status)")
                case .unreachable(let after, let cause):
                    #expect(expected == "unreachable")
                    #expect(after == .seconds(5))
                    #expect(cause.code == "http_\(status)")
                case .refused(let end, let cause):
                    #expect(expected == "refused")
                    #expect(end == .dead)
                    #expect(cause.code == "http_\(status)" && !cause.remedy.isEmpty)
                case .unknown, .repeatable, .stopAccount: Issue.record("\(outcome)")
                }
                #expect(seen.requests.count == 1, "a redirect must not be followed")
            }
        }
    }

    @Test("a server that hangs, resets or refuses is tried again, with the same id")
    func broken() async throws {
        for behaviour in [Misbehaviour.hangs, .resets, .closes] {
            try await withBadServer(behaviour) { base in
                try await withCaller { caller in
                    let timeout: Duration = behaviour == .hangs ? .milliseconds(150) : .seconds(10)
                    let channel = try channel(caller, base, timeout: timeout)
                    guard case .unreachable(_, let cause) = await channel.send([message()])[0]
                    else {
                        Issue.record("must be tried again")
                        return
                    }
                    #expect(cause.code == "no_answer")
                }
            }
        }
        let refused = try RefusedPort()
        try await withCaller { caller in
            let channel = try channel(caller, "http://127.0.0.1:\(refused.port)/")
            guard case .unreachable(_, let cause) = await channel.send([message()])[0] else {
                Issue.record("must be tried again")
                return
            }
            #expect(cause.code == "not_connected")
        }
    }

    @Test("a private address is not called at all")
    func guarded() async throws {
        try await withServer(Answering { _ in Response(status: .ok) }) { base, seen in
            try await withCaller { caller in
                let channel = try channel(caller, base, allowed: [])
                guard case .refused(.dead, let cause) = await channel.send([message()])[0] else {
                    Issue.record("must be refused")
                    return
                }
                #expect(cause.code == "forbidden")
                #expect(seen.requests.isEmpty)
            }
        }
    }

    @Test(
        "a push for an account without a webhook is a dead letter with its remedy, and stops nobody"
    )
    func noTarget() async throws {
        try await withCaller { caller in
            guard
                case .refused(.dead, let cause) =
                    await (try channel(caller, nil)).send([message()])[0]
            else {
                Issue.record("must be refused")
                return
            }
            #expect(cause.code == "no_webhook" && cause.remedy.contains("account set"))
        }
    }
}
