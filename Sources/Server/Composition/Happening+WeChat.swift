import BelfryActivation
import BelfryCore
import BelfryRecords
import BelfryWeChat

extension Happening {
    /// What a callback means for flows and permissions; `nil` where it means nothing to either.
    init?(_ inbound: Inbound, account: Account) {
        let kind: FlowEvent.Kind
        let change: PersonChange
        switch inbound {
        case .message(let message):
            var text: String?
            var isMenuTap = false
            if case .text(let content, let menuID) = message.content {
                text = content
                isMenuTap = menuID != nil
            }
            kind = .message(text: text, isMenuTap: isMenuTap)
            change = isMenuTap ? .acted : .wrote
        case .event(let event):
            switch event.content {
            case .follow(let scene, _):
                kind = .follow(scene: scene)
                change = .followed(scene: scene)
            case .unfollow:
                kind = .unfollow
                change = .unsubscribed
            case .scan(let scene, _):
                kind = .scan(scene: scene)
                change = .acted
            case .menuClick, .menuScan:
                kind = .menu(key: event.key)
                change = .acted
            case .subscribePopup(let choices):
                // A no takes nothing away: only the settings do.
                let accepted = choices.filter { $0.accepted && $0.isUsable }
                guard !accepted.isEmpty else { return nil }
                kind = .consent(accepted.map(ConsentChange.init))
                change = .acted
            case .subscribeChange(let choices):
                let withdrawn = choices.filter { !$0.accepted && $0.isUsable }
                guard !withdrawn.isEmpty else { return nil }
                kind = .consent(withdrawn.map(ConsentChange.init))
                change = .acted
            default: return nil
            }
        }
        self.init(
            key: inbound.dedupeKey(appID: account.record.appID),
            recipient: Recipient(account: account.key, person: inbound.head.openID),
            event: FlowEvent(kind, at: inbound.head.created),
            change: change
        )
    }
}

extension SubscribeChoice {
    fileprivate var isUsable: Bool {
        (1...TemplateMessage.idBytes).contains(templateID.utf8.count)
    }
}

extension ConsentChange {
    fileprivate init(_ choice: SubscribeChoice) {
        self.init(template: choice.templateID, isGranted: choice.accepted)
    }
}

extension PassiveReply {
    /// A flow's message as an answer inside the callback; `nil` for types that WeChat does not take there.
    init?(_ message: FlowMessage) {
        func text(_ key: String) -> String? { message.body[key]?.text }
        switch message.type {
        case "text": self = .text(text("content") ?? "")
        case "image": self = .image(mediaID: text("media_id") ?? "")
        case "voice": self = .voice(mediaID: text("media_id") ?? "")
        case "video":
            self = .video(
                mediaID: text("media_id") ?? "",
                title: text("title"),
                description: text("description")
            )
        case "music":
            self = .music(
                PassiveMusic(
                    title: text("title"),
                    description: text("description"),
                    url: text("musicurl"),
                    highQualityURL: text("hqmusicurl"),
                    thumbMediaID: text("thumb_media_id") ?? ""
                )
            )
        case "news":
            guard case .array(let articles)? = message.body["articles"] else { return nil }
            self = .news(
                articles.map {
                    NewsArticle(
                        title: $0["title"]?.text ?? "",
                        description: $0["description"]?.text,
                        url: $0["url"]?.text ?? "",
                        pictureURL: $0["picurl"]?.text
                    )
                }
            )
        default: return nil
        }
    }
}
