import BelfryRecords
import BelfryServer
import BelfryWeChat

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension Benchmark {
    /// Follows a second, each a signed and encrypted callback that starts a flow: verified, decrypted, recorded, scheduled, durable, answered.
    static let callbacksFollow = Benchmark(
        "callbacks.follow",
        "signed and encrypted follow callbacks a second, each starting a flow, durable before the answer; p99 of the answer at 5,000 a second"
    ) { setting in
        let wire = try FollowWire()
        let full = setting.count(20_000, least: 64)
        let paced = setting.count(25_000, least: 64)
        let rate = 5000.0
        let requests = wire.requests(full + paced)
        let (fast, steady) = try await BenchNode.during(
            folder: setting.folder,
            prepare: { node in
                try await node.records.flows.publish(
                    account: "bench",
                    flow: "welcome",
                    yaml: FollowWire.flow,
                    by: "bench"
                )
            },
            account: { wire.configure(&$0) }
        ) { port in
            let steady = try await Load(port: port, connections: 128, rate: rate)
                .run(Array(requests[..<paced]))
            let fast = try await Load(port: port, connections: 128).run(Array(requests[paced...]))
            return (fast, steady)
        }
        for answer in fast.answers + steady.answers where answer.status != 200 {
            throw LoadFailure("a callback was answered with \(answer.status)")
        }
        let raw = try await SinkServer.during(answering: Array("success".utf8)) { port in
            try await Load(port: port, connections: 128).run(Array(requests[paced...]))
        }
        return [
            Measurement(
                "callbacks.follow",
                Double(full) / fast.seconds,
                "callbacks/s",
                reference: Double(full) / raw.seconds
            ),
            Measurement("callbacks.follow.p99", steady.percentile(0.99), "ms"),
        ]
    }
}

/// Follow events as WeChat sends them in safe mode.
private struct FollowWire: Sendable {
    private static let key = String(repeating: "k3Y", count: 14) + "A"
    private static let token = "benchmark-token"
    private static let appID = "wx0123456789abcdef"

    /// Nothing of it is due while the benchmark runs.
    static let flow = """
        key: welcome
        trigger: follow
        steps:
          - id: hello
            after: 55s
            text: 你好 {{nickname|朋友}}
        """

    private let cipher: MessageCipher

    init() throws {
        cipher = MessageCipher(key: try EncodingAESKey(Self.key), tailID: Self.appID)
    }

    func configure(_ account: inout AccountRecord) {
        account.kind = .wechat
        account.appID = Self.appID
        account.token = Secret(Self.token)
        account.encodingAESKey = Secret(Self.key)
        account.secret = Secret("benchmark-secret")
        // Should anything be sent after all, it goes nowhere.
        account.baseURL = "http://127.0.0.1:9"
    }

    /// One follow each of so many people.
    func requests(_ count: Int) -> [[UInt8]] {
        let now = Int(Date().timeIntervalSince1970)
        return (0..<count).map {
            request(person: "oBench\($0)", at: now, nonce: String(100_000 + $0))
        }
    }

    private func request(person: String, at time: Int, nonce: String) -> [UInt8] {
        let event = """
            <xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\
            <FromUserName><![CDATA[\(person)]]></FromUserName><CreateTime>\(time)</CreateTime>\
            <MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event>\
            <EventKey><![CDATA[]]></EventKey></xml>
            """
        var random = Array(nonce.utf8)
        while random.count < 16 { random.append(UInt8(ascii: "r")) }
        let sealed = cipher.encrypt(Array(event.utf8), random: Array(random.prefix(16)))
        let stamp = String(time)
        let signature = CallbackSignature.sign([Self.token, stamp, nonce])
        let message = CallbackSignature.sign([Self.token, stamp, nonce, sealed])
        let body = """
            <xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\
            <Encrypt><![CDATA[\(sealed)]]></Encrypt></xml>
            """
        let path =
            "/wechat/bench/callback?signature=\(signature)&timestamp=\(stamp)&nonce=\(nonce)"
            + "&openid=\(person)&encrypt_type=aes&msg_signature=\(message)"
        return RawRequest.post(path, type: "text/xml", body: Array(body.utf8))
    }
}
