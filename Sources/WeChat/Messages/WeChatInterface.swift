/// The interfaces of WeChat that carry a message to one person, by the names that pushes ask for them.
package enum WeChatInterface: String, Sendable, Hashable, Codable, CaseIterable {
    /// Customer-service messages (客服消息): need an open window.
    case customerService = "wechat"
    /// Template messages (模板消息): need no window, but a follower. Service notices only, no marketing.
    case template
    /// Subscribe notifications (订阅通知): need the person's consent to the template, one for each.
    case subscribe

    /// Reads a message of this interface and checks its limits.
    ///
    /// - Throws: ``InvalidMessage`` naming the field and what is allowed.
    package func check(json: [UInt8]) throws(InvalidMessage) {
        switch self {
        case .customerService: try CustomerMessage(json: json).validate()
        case .template: try TemplateMessage(json: json).validate()
        case .subscribe: try SubscribeNotification(json: json).validate()
        }
    }
}
