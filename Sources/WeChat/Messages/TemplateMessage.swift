import BelfryCore

/// A template message (模板消息), without the receiver. Its JSON is WeChat's own:
/// `{"template_id":"…","url":"…","data":{"thing1":{"value":"…"}}}`.
package struct TemplateMessage: Sendable, Hashable {
    package var templateID: String
    /// Opened by a tap; with a mini program only where those are not known.
    package var url: String?
    package var miniProgram: MiniProgramTarget?
    package var fields: [TemplateField]

    /// How long after the first try the same message may be tried again without being sent twice: WeChat remembers a `client_msg_id` for
    /// ten minutes; the last of them is left to the way there.
    package static let repetition = Duration.minutes(9)

    package init(
        templateID: String,
        url: String? = nil,
        miniProgram: MiniProgramTarget? = nil,
        fields: [TemplateField]
    ) {
        self.templateID = templateID
        self.url = url
        self.miniProgram = miniProgram
        self.fields = fields
    }

    /// - Throws: ``InvalidMessage`` naming the first field that breaks a limit, and the limit.
    package func validate() throws(InvalidMessage) {
        try FieldCheck.text("template_id", templateID, atMost: Self.idBytes)
        if let url { try FieldCheck.url("url", url) }
        try miniProgram?.validate()
        for field in fields { try field.validate(isTyped: false) }
    }

    /// WeChat's ids have 43 characters. A consent is kept under `consent:` and the id, in a name of 128 bytes.
    package static let idBytes = 119
}

/// A subscribe notification (订阅通知), without the receiver. Its JSON is WeChat's own:
/// `{"template_id":"…","page":"…","data":{"thing1":{"value":"…"}}}`.
package struct SubscribeNotification: Sendable, Hashable {
    package var templateID: String
    /// The web page that a tap opens.
    package var page: String?
    package var miniProgram: MiniProgramTarget?
    package var fields: [TemplateField]

    package init(
        templateID: String,
        page: String? = nil,
        miniProgram: MiniProgramTarget? = nil,
        fields: [TemplateField]
    ) {
        self.templateID = templateID
        self.page = page
        self.miniProgram = miniProgram
        self.fields = fields
    }

    /// - Throws: ``InvalidMessage`` naming the first field that breaks a limit, and the limit.
    package func validate() throws(InvalidMessage) {
        try FieldCheck.text("template_id", templateID, atMost: TemplateMessage.idBytes)
        if let page { try FieldCheck.url("page", page) }
        try miniProgram?.validate()
        for field in fields { try field.validate(isTyped: true) }
    }
}

/// The page of a mini program that a tap opens.
package struct MiniProgramTarget: Sendable, Hashable {
    /// Must be linked with the account.
    package var appID: String
    package var path: String

    package init(appID: String, path: String) {
        self.appID = appID
        self.path = path
    }

    func validate() throws(InvalidMessage) {
        try FieldCheck.text("miniprogram.appid", appID, atMost: CustomerMessage.idBytes)
        try FieldCheck.text("miniprogram.pagepath", path, atMost: CustomerMessage.urlBytes)
    }
}

// MARK: - JSON

extension TemplateMessage {
    /// - Throws: ``InvalidMessage`` naming what is missing, of the wrong kind, or unknown. Limits are ``validate()``'s.
    package init(json bytes: [UInt8]) throws(InvalidMessage) {
        var fields = try MessageFields(parsing: bytes)
        templateID = try fields.text("template_id")
        url = try fields.optionalText("url")
        miniProgram = try MiniProgramTarget(&fields)
        self.fields = try TemplateField.read(&fields)
        try fields.finish()
    }

    /// WeChat's JSON, as raw UTF-8.
    ///
    /// - Parameter name: `client_msg_id`: the same name to the same person is sent once in ten minutes.
    package func json(to openID: String? = nil, named name: String? = nil) -> [UInt8] {
        JSONValue.members([
            "touser": openID.map { .string($0) },
            "template_id": .string(templateID),
            "url": url.map { .string($0) },
            "miniprogram": miniProgram?.value,
            "client_msg_id": name.map { .string($0) },
            "data": TemplateField.value(fields),
        ]).bytes
    }
}

extension SubscribeNotification {
    /// - Throws: ``InvalidMessage`` naming what is missing, of the wrong kind, or unknown. Limits are ``validate()``'s.
    package init(json bytes: [UInt8]) throws(InvalidMessage) {
        var fields = try MessageFields(parsing: bytes)
        templateID = try fields.text("template_id")
        page = try fields.optionalText("page")
        miniProgram = try MiniProgramTarget(&fields)
        self.fields = try TemplateField.read(&fields)
        try fields.finish()
    }

    /// WeChat's JSON, as raw UTF-8.
    package func json(to openID: String? = nil) -> [UInt8] {
        JSONValue.members([
            "touser": openID.map { .string($0) },
            "template_id": .string(templateID),
            "page": page.map { .string($0) },
            "miniprogram": miniProgram?.value,
            "data": TemplateField.value(fields),
        ]).bytes
    }
}

extension MiniProgramTarget {
    init?(_ fields: inout MessageFields) throws(InvalidMessage) {
        guard var own = try fields.optionalObject("miniprogram") else { return nil }
        appID = try own.text("appid")
        path = try own.text("pagepath")
        try own.finish()
    }

    var value: JSONValue { .members(["appid": .string(appID), "pagepath": .string(path)]) }
}
