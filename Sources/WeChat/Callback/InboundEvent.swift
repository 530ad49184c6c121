/// Something that happened between a person and the account, or to the account itself.
package struct InboundEvent: Sendable, Hashable {
    package var head: InboundHead
    /// Event as it came: `subscribe`, `SCAN`, `CLICK` …
    package var name: String
    /// EventKey as it came; empty where there is none.
    package var key: String
    /// MsgID as it came (reports about template messages); empty where there is none.
    package var messageID: String
    package var content: Content

    package enum Content: Sendable, Hashable {
        /// - scene: the scene of the QR code that was scanned; `nil` for every other way of following.
        case follow(scene: String?, ticket: String?)
        /// Everything for this person stops.
        case unfollow
        /// A follower scanned a QR code with a scene.
        case scan(scene: String, ticket: String?)
        case location(latitude: Double, longitude: Double, precision: Double)
        /// Only this tap and ``menuScan(waits:type:result:)`` open a window; the other menu taps do not.
        case menuClick
        case menuView(url: String, menuID: String?)
        case menuMiniProgram(path: String, menuID: String?)
        /// - waits: the person sees "receiving" until an answer comes (`scancode_waitmsg`).
        case menuScan(waits: Bool, type: String, result: String)
        /// - source: `pic_sysphoto`, `pic_photo_or_album` or `pic_weixin`.
        case menuPhotos(source: String, count: Int)
        case menuLocation(latitude: Double?, longitude: Double?, label: String)
        case templateFinished(TemplateResult)
        /// The person answered a request for consent.
        case subscribePopup([SubscribeChoice])
        /// The person withdrew consents in the settings; only refusals are told.
        case subscribeChange([SubscribeChoice])
        case subscribeSent([SubscribeResult])
        case published(PublishResult)
        case userData(UserDataChange)
        /// An event this program does not know; the whole body is kept.
        case unknown(BodyNode)
    }

    package init(
        head: InboundHead,
        name: String,
        key: String = "",
        messageID: String = "",
        content: Content
    ) {
        self.head = head
        self.name = name
        self.key = key
        self.messageID = messageID
        self.content = content
    }

    init(head: InboundHead, _ body: BodyNode) {
        let (name, key) = (body.text("Event"), body.text("EventKey"))
        self.init(
            head: head,
            name: name,
            key: key,
            messageID: body.text("MsgID"),
            content: Self.menu(name, key, body) ?? Self.report(name, body)
                ?? Self.person(name, key, body) ?? .unknown(body)
        )
    }
}

/// What became of a template message.
package enum TemplateResult: Sendable, Hashable {
    case success
    /// The person blocks the account's messages.
    case userBlock
    /// `failed: system failed`, `failed:freq limit` and whatever else there may be, after the colon.
    case failed(String)

    init(_ status: String) {
        // "failed:user block" and "failed: system failed" differ in a blank.
        let parts = status.split(separator: ":", maxSplits: 1).map {
            String($0.drop(while: \.isWhitespace))
        }
        switch (parts.first, parts.count > 1 ? parts[1] : "") {
        case ("success", _): self = .success
        case (_, "user block"): self = .userBlock
        case (_, let reason): self = .failed(reason)
        }
    }
}

/// One template of a consent dialogue.
package struct SubscribeChoice: Sendable, Hashable {
    package var templateID: String
    package var accepted: Bool
    /// 1: a web page, 2: an article; `nil` where it is not told.
    package var scene: String?

    package init(templateID: String, accepted: Bool, scene: String? = nil) {
        self.templateID = templateID
        self.accepted = accepted
        self.scene = scene
    }
}

/// What became of a subscribe notification.
package struct SubscribeResult: Sendable, Hashable {
    package var templateID: String
    package var messageID: String
    /// 0: delivered.
    package var code: Int
    package var status: String

    package init(templateID: String, messageID: String, code: Int, status: String) {
        self.templateID = templateID
        self.messageID = messageID
        self.code = code
        self.status = status
    }
}

/// What became of publishing a draft.
package struct PublishResult: Sendable, Hashable {
    package var publishID: String
    /// 0: published.
    package var status: Int
    package var articleID: String?

    package init(publishID: String, status: Int, articleID: String? = nil) {
        self.publishID = publishID
        self.status = status
        self.articleID = articleID
    }
}

/// A person changed or withdrew data that the account was given.
package enum UserDataChange: String, Sendable, Hashable {
    case modified = "user_info_modified"
    case revoked = "user_authorization_revoke"
    /// Their data must be deleted.
    case cancelled = "user_authorization_cancellation"
}
