package import BelfryCore

/// The body of the answer to a callback and its content type.
package struct CallbackAnswer: Sendable, Hashable {
    package var contentType: String
    package var body: String

    /// Taken note of, nothing to say. Never encrypted.
    package static let success = CallbackAnswer(contentType: "text/plain", body: "success")
}

extension WeChatCallback {
    /// The answer to a callback: `success` without a reply; else the reply in the callback's own format, encrypted with the key that
    /// opened the callback where it was encrypted.
    package func answer(
        _ reply: PassiveReply?,
        to callback: OpenedCallback,
        now: Timestamp,
        using random: inout some RandomNumberGenerator
    ) -> CallbackAnswer {
        guard let reply else { return .success }
        let format = callback.format
        let text = reply.text(format, to: callback.inbound.head, now: now)
        let type = format == .json ? "application/json" : "application/xml"
        guard let key = callback.key else { return CallbackAnswer(contentType: type, body: text) }
        let head = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let nonce = String(UInt32.random(in: .min ... .max, using: &random))
        let sealed = seal(
            Array(text.utf8),
            key: key,
            random: head,
            seconds: now.milliseconds / 1000,
            nonce: nonce
        )
        return CallbackAnswer(
            contentType: type,
            body: format == .json ? String(decoding: sealed.json, as: UTF8.self) : sealed.xml
        )
    }

    /// Encrypts and signs an answer.
    ///
    /// - Parameter random: 16 bytes that nobody can foresee.
    package func seal(
        _ message: [UInt8],
        key: EncodingAESKey,
        random: [UInt8],
        seconds: Int64,
        nonce: String
    ) -> SealedAnswer {
        let cipher = MessageCipher(key: key, tailID: settings.tailID)
        let sealed = cipher.encrypt(message, random: random)
        let signature = CallbackSignature.sign([settings.token, String(seconds), nonce, sealed])
        return SealedAnswer(
            encrypted: sealed,
            signature: signature,
            seconds: seconds,
            nonce: nonce
        )
    }
}

/// An encrypted and signed answer.
package struct SealedAnswer: Sendable, Hashable {
    package var encrypted: String
    package var signature: String
    package var seconds: Int64
    package var nonce: String

    package var xml: String {
        var xml = XMLText()
        xml.element("Encrypt", encrypted)
        xml.element("MsgSignature", signature)
        xml.number("TimeStamp", seconds)
        xml.element("Nonce", nonce)
        return "<xml>\(xml.text)</xml>"
    }

    package var json: [UInt8] {
        JSONValue.members([
            "Encrypt": .string(encrypted), "MsgSignature": .string(signature),
            "TimeStamp": .integer(seconds), "Nonce": .string(nonce),
        ]).bytes
    }
}
