import BelfryCore

/// What a person did that may open a window for customer-service messages: the rows of the rule table.
package enum GrantingAction: String, Sendable, Hashable, Codable, CodingKeyRepresentable,
    CaseIterable
{
    /// Sent a message: text, image, voice, video, location or link, typed or made by the person.
    case message
    /// Tapped a custom menu button of a type that counts, or an entry of a msgmenu message.
    case menu
    case follow
    /// Scanned a QR code with a scene while already following.
    case scan
    case payment

    /// What a callback counts as, or `nil` where it opens nothing (VIEW, LOCATION, opening an article, template events).
    ///
    /// A tap on a msgmenu entry arrives as an ordinary text message, yet counts as a menu tap.
    ///
    /// - Parameters:
    ///   - messageType: `MsgType` of the callback: `text`, `image`, …, `event`.
    ///   - event: `Event` of the callback, where the type is `event`.
    ///   - isMenuTap: whether the message carries `bizmsgmenuid`.
    package init?(messageType: String, event: String? = nil, isMenuTap: Bool = false) {
        if messageType == "event" {
            guard let event, let action = Self.events[event.lowercased()] else { return nil }
            self = action
        } else if Self.messages.contains(messageType) {
            self = isMenuTap ? .menu : .message
        } else {
            return nil
        }
    }

    private static let messages: Set<String> = [
        "text", "image", "voice", "video", "shortvideo", "location", "link",
    ]
    private static let events: [String: GrantingAction] = [
        "subscribe": .follow, "scan": .scan, "click": .menu, "scancode_push": .menu,
        "scancode_waitmsg": .menu,
    ]
}

/// What one action opens.
package struct GrantTerms: Sendable, Hashable, Codable {
    /// How long the window stays open, counted from the action's own time.
    package var duration: Duration
    /// How many messages it allows; `nil`: any number.
    package var quota: Int?

    package init(duration: Duration, quota: Int?) {
        self.duration = duration
        self.quota = quota
    }

    /// The part of the window to plan with. The minute counts on the other side's clock and a send takes time, so short windows are
    /// planned ten seconds short (a minute becomes 50 s); long ones lose a sixth at most, never more than those ten seconds.
    package var plannable: Duration { duration - min(.seconds(10), duration / 6) }
}
