package import BelfryCore

/// Believes or refuses what arrives at an account's callback address, and seals the answers.
package struct WeChatCallback: Sendable {
    /// How the account's message push is set up in the WeChat console.
    package enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
        /// 明文: signed query, readable body. The signature does not cover the body.
        case plain
        /// 兼容: readable fields and `Encrypt`; only the encrypted part is believed.
        case compat
        /// 安全: only `Encrypt`.
        case safe
    }

    /// What the operator set in the WeChat console.
    package struct Settings: Sendable {
        /// 3 to 32 letters and digits, chosen by the operator.
        package var token: String
        package var mode: Mode
        /// The current key, then the previous one while WeChat rotates; empty only in plain mode.
        package var keys: [EncodingAESKey]
        /// The appid, or the platform's appid for accounts that reach us through a third-party platform.
        package var tailID: String
        /// The `gh_…` name that callbacks are addressed to; empty: any.
        package var originalID: String
        /// How far the signed time may be from ours, at least 10 minutes; `nil`: any. WeChat documents no bound. Replays within it are
        /// caught by ``Inbound/dedupeKey(appID:)``, so it may be generous: by default a clock that is an hour wrong loses no follow.
        package var tolerance: Duration?
        /// The largest body that is read, in bytes.
        package var bodyLimit: Int

        package init(
            token: String,
            mode: Mode,
            keys: [EncodingAESKey] = [],
            tailID: String,
            originalID: String = "",
            tolerance: Duration? = .hours(2),
            bodyLimit: Int = 256 * 1024
        ) {
            self.token = token
            self.mode = mode
            self.keys = keys
            self.tailID = tailID
            self.originalID = originalID
            self.tolerance = tolerance.map { max($0, .minutes(10)) }
            self.bodyLimit = bodyLimit
        }
    }

    package let settings: Settings

    package init(_ settings: Settings) { self.settings = settings }

    /// The GET that WeChat makes when the operator saves the address.
    ///
    /// - Returns: the body of the answer, to be sent exactly so: no quotes, no newline.
    package func echo(_ query: CallbackQuery, now: Timestamp) throws(CallbackError) -> String {
        let echo = try query.need(\.echo, "echostr")
        try checkSignature(query, now: now)
        return echo
    }

    /// The POST of a message or an event.
    package func open(_ query: CallbackQuery, body: [UInt8], now: Timestamp) throws(CallbackError)
        -> OpenedCallback
    {
        guard body.count <= settings.bodyLimit else {
            throw CallbackError(.tooLarge, "more than \(settings.bodyLimit) bytes")
        }
        let encrypted = query.encryptType == "aes"
        guard encrypted || settings.mode == .plain else {
            throw CallbackError(.notEncrypted, "the account is in \(settings.mode.rawValue) mode")
        }
        // What is not signed is not even parsed; in the encrypted modes the signature lies in the body.
        if !encrypted { try checkSignature(query, now: now) }
        let tree = try BodyTree.parse(body)
        guard encrypted else {
            return OpenedCallback(
                inbound: try inbound(tree),
                format: tree.format,
                key: nil
            )
        }
        let sealed = tree.root.text("Encrypt")
        guard !sealed.isEmpty else { throw CallbackError(.notEncrypted, "the body has no Encrypt") }
        try checkMessageSignature(query, sealed, now: now)
        let (message, key) = try decrypt(sealed)
        let inner = try BodyTree.parse(message)
        return OpenedCallback(inbound: try inbound(inner), format: inner.format, key: key)
    }

    /// What the body says, if it is for this account: in plain mode the signature does not cover it.
    private func inbound(_ tree: BodyTree) throws(CallbackError) -> Inbound {
        let inbound = try Inbound(tree.root)
        guard settings.originalID.isEmpty || inbound.head.account == settings.originalID else {
            throw CallbackError(
                .wrongAccount,
                "ToUserName is '\(inbound.head.account)', and the account's original id is '\(settings.originalID)'"
            )
        }
        return inbound
    }

    // MARK: Checks

    private func checkSignature(_ query: CallbackQuery, now: Timestamp) throws(CallbackError) {
        let timestamp = try query.need(\.timestamp, "timestamp")
        let parts = [settings.token, timestamp, try query.need(\.nonce, "nonce")]
        guard CallbackSignature.matches(try query.need(\.signature, "signature"), parts) else {
            throw CallbackError(.badSignature, "the signature does not match the account's token")
        }
        try checkAge(timestamp, now: now)
    }

    private func checkMessageSignature(_ query: CallbackQuery, _ sealed: String, now: Timestamp)
        throws(CallbackError)
    {
        let timestamp = try query.need(\.timestamp, "timestamp")
        let parts = [settings.token, timestamp, try query.need(\.nonce, "nonce"), sealed]
        let given = try query.need(\.messageSignature, "msg_signature")
        guard CallbackSignature.matches(given, parts) else {
            throw CallbackError(
                .badSignature,
                "msg_signature does not match the account's token and the body"
            )
        }
        try checkAge(timestamp, now: now)
    }

    private func checkAge(_ timestamp: String, now: Timestamp) throws(CallbackError) {
        guard let tolerance = settings.tolerance else { return }
        guard timestamp.utf8.count <= 12, let seconds = Int64(timestamp), seconds >= 0 else {
            throw CallbackError(.missingParameter, "timestamp is not a number of seconds")
        }
        let age = now - .seconds(seconds)
        guard age <= tolerance, age >= .zero - tolerance else {
            throw CallbackError(
                .stale,
                "signed \(age.milliseconds / 1000) s ago by our clock; a replay, or a wrong clock"
            )
        }
    }

    private func decrypt(_ sealed: String) throws(CallbackError) -> ([UInt8], EncodingAESKey) {
        var failure = CallbackError(.badCiphertext, "the account has no EncodingAESKey")
        for key in settings.keys {
            do {
                return (
                    try MessageCipher(key: key, tailID: settings.tailID).decrypt(sealed), key
                )
            } catch {
                // With another key nearly everything looks like damage; an intact message for another appid is the better news.
                if failure.code != .wrongTail { failure = error }
            }
        }
        throw failure
    }
}

/// A callback that was believed and understood.
package struct OpenedCallback: Sendable {
    package var inbound: Inbound
    package var format: BodyFormat
    /// The key it was encrypted with; the answer uses the same. `nil`: it was not encrypted.
    package var key: EncodingAESKey?
}
