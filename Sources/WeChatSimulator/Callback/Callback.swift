/// One push to an account's callback URL: the same in each attempt but for the timestamp, nonce and signature.
struct Callback: Sendable {
    var account: AccountSettings
    var openID: String
    /// `text` …, or `event`.
    var type: String
    /// Seconds since 1970.
    var createTime: Int64
    /// nil for events.
    var messageID: Int64?
    /// The whole plain body, without the root.
    var fields: [Field]
    /// A copy that was made on purpose: its passive reply is not shown again.
    var isCopy = false

    init(
        _ account: AccountSettings,
        openID: String,
        createTime: Int64,
        messageID: Int64?,
        _ interaction: Interaction
    ) {
        self.account = account
        self.openID = openID
        self.createTime = createTime
        self.messageID = messageID
        type = interaction.type
        fields =
            [
                Field("ToUserName", account.originalID), Field("FromUserName", openID),
                Field("CreateTime", createTime), Field("MsgType", interaction.type),
            ] + interaction.fields
        if let messageID { fields.append(Field("MsgId", messageID)) }
    }

    /// The body before encryption.
    var plain: String {
        switch account.bodyFormat {
        case .xml: FieldWriter.xml(fields)
        case .json: FieldWriter.json(fields).text
        }
    }

    /// How many articles a passive reply may hold: one in answer to a message, eight in answer to anything else.
    var articleLimit: Int { type == "event" ? 8 : 1 }
}

/// The request of one attempt.
struct CallbackRequest: Sendable, Hashable {
    var query: String
    var body: String
    var contentType: String

    /// - Parameters:
    ///   - timestamp: seconds since 1970, now.
    ///   - random: 16 bytes for the envelope.
    static func make(
        _ callback: Callback,
        timestamp: String,
        nonce: String,
        random: [UInt8]
    ) throws(CallbackProblem) -> CallbackRequest {
        let account = callback.account
        let signature = Signature.of(account.token, timestamp, nonce)
        var query = "signature=\(signature)&timestamp=\(timestamp)&nonce=\(nonce)"
        query += "&openid=\(callback.openID)"
        let contentType = account.bodyFormat == .xml ? "text/xml" : "application/json"
        if account.mode == .plain {
            return CallbackRequest(query: query, body: callback.plain, contentType: contentType)
        }
        let encrypted = try encrypt(callback.plain, account, random: random)
        query += "&encrypt_type=aes&msg_signature="
        query += Signature.of(account.token, timestamp, nonce, encrypted)
        var outer =
            account.mode == .compat
            ? callback.fields : [Field("ToUserName", account.originalID)]
        outer.append(Field("Encrypt", encrypted))
        let body =
            account.bodyFormat == .xml ? FieldWriter.xml(outer) : FieldWriter.json(outer).text
        return CallbackRequest(query: query, body: body, contentType: contentType)
    }

    private static func encrypt(
        _ plain: String,
        _ account: AccountSettings,
        random: [UInt8]
    ) throws(CallbackProblem) -> String {
        guard let key = EncodingKey(account.encodingAESKey) else {
            throw CallbackProblem(
                "the EncodingAESKey of \(account.appID) is not 43 letters and digits"
            )
        }
        do {
            return try Envelope(key: key, tail: account.appID)
                .encrypt(Array(plain.utf8), random: random)
        } catch {
            throw CallbackProblem(error.rawValue)
        }
    }
}

struct CallbackProblem: Error, Sendable, Hashable {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}
