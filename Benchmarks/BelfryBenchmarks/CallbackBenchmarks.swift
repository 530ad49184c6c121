import BelfryCore
import BelfryWeChat
import Benchmark

/// A follow event in safe mode: signature, decryption, XML, meaning.
func callbackBenchmarks() {
    let event = """
        <xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName>\
        <FromUserName><![CDATA[oBenchmark]]></FromUserName><CreateTime>1800000000</CreateTime>\
        <MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event>\
        <EventKey><![CDATA[qrscene_spring]]></EventKey></xml>
        """
    let now = Timestamp.seconds(1_800_000_000)
    Benchmark("callback: parse XML") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(try BodyTree.parse(Array(event.utf8))) }
    }
    Benchmark("callback: verify, decrypt and decode") { benchmark in
        let key = try EncodingAESKey(String(repeating: "k3Y", count: 14) + "A")
        let cipher = MessageCipher(key: key, tailID: "wx0123456789abcdef")
        let sealed = cipher.encrypt(Array(event.utf8), random: Array(repeating: 7, count: 16))
        let parts = ["token", "1800000000", "nonce"]
        let callback = WeChatCallback(
            .init(token: "token", mode: .safe, keys: [key], tailID: "wx0123456789abcdef")
        )
        let query = CallbackQuery(
            signature: CallbackSignature.sign(parts),
            timestamp: parts[1],
            nonce: parts[2],
            openID: "oBenchmark",
            encryptType: "aes",
            messageSignature: CallbackSignature.sign(parts + [sealed])
        )
        let body = Array(
            "<xml><ToUserName>gh_0123456789ab</ToUserName><Encrypt>\(sealed)</Encrypt></xml>".utf8
        )
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            blackHole(try callback.open(query, body: body, now: now))
        }
    }
}
