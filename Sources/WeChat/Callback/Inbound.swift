package import BelfryCore
import Crypto

/// What WeChat told us: a message that a person sent, or an event.
package enum Inbound: Sendable, Hashable {
    case message(InboundMessage)
    case event(InboundEvent)

    package var head: InboundHead {
        switch self {
        case .message(let message): message.head
        case .event(let event): event.head
        }
    }

    /// - Throws: ``CallbackError`` with `malformed` where the common head is missing. Unknown types and events are not errors.
    package init(_ body: BodyNode) throws(CallbackError) {
        let head = try InboundHead(body)
        let type = body.text("MsgType")
        if type == "event" {
            self = .event(InboundEvent(head: head, body))
        } else if !type.isEmpty {
            self = .message(InboundMessage(head: head, type: type, body))
        } else {
            throw CallbackError(.malformed, "the body has no MsgType")
        }
    }

    /// The same for every repetition of this callback, and for nothing else: `appid|openid|MsgId`, and for events
    /// `appid|openid|CreateTime|Event|EventKey|MsgID`.
    ///
    /// CreateTime alone has the resolution of a second and is shared by different events; MsgId alone has been seen twice between
    /// accounts. An EventKey longer than 64 bytes (a menu's web address) stands in by its SHA-256.
    package func dedupeKey(appID: String) -> String {
        switch self {
        case .message(let message) where !message.id.isEmpty:
            return "\(appID)|\(message.head.openID)|\(message.id)"
        case .message(let message):
            return "\(appID)|\(message.head.openID)|\(message.head.createdSeconds)|\(message.type)"
        case .event(let event):
            let key =
                event.key.utf8.count <= 64
                ? event.key : Hex.text(SHA256.hash(data: Array(event.key.utf8)))
            return [
                appID, event.head.openID, String(event.head.createdSeconds), event.name, key,
                event.messageID,
            ].joined(separator: "|")
        }
    }
}

/// What every message and event carries.
package struct InboundHead: Sendable, Hashable {
    /// The account's original id, `gh_…`.
    package var account: String
    /// Who did it (FromUserName).
    package var openID: String
    /// When it happened by WeChat's clock. Windows count from here, never from the arrival.
    package var created: Timestamp

    var createdSeconds: Int64 { created.milliseconds / 1000 }

    package init(account: String, openID: String, created: Timestamp) {
        self.account = account
        self.openID = openID
        self.created = created
    }

    init(_ body: BodyNode) throws(CallbackError) {
        account = body.text("ToUserName")
        openID = body.text("FromUserName")
        guard !account.isEmpty, account.utf8.count <= PushLimits.personBytes else {
            throw CallbackError(.malformed, "ToUserName is missing or too long")
        }
        guard !openID.isEmpty, openID.utf8.count <= PushLimits.personBytes else {
            throw CallbackError(.malformed, "FromUserName is missing or too long")
        }
        // Twelve digits of seconds reach beyond the year 30000.
        let seconds = body.text("CreateTime")
        guard seconds.utf8.count <= 12, let value = Int64(seconds), value >= 0 else {
            throw CallbackError(.malformed, "CreateTime is not a number of seconds")
        }
        created = .seconds(value)
    }
}
