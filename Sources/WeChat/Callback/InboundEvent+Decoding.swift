extension InboundEvent {
    static func person(_ name: String, _ key: String, _ body: BodyNode) -> Content? {
        let ticket = body.value("Ticket")
        switch name {
        case "subscribe":
            // Other entrances put other things into EventKey ("last_trade_no_…"): only this very prefix is a scene.
            let prefix = "qrscene_"
            let scene = key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : nil
            return .follow(scene: scene, ticket: ticket)
        case "unsubscribe": return .unfollow
        case "SCAN": return .scan(scene: key, ticket: ticket)
        case "LOCATION":
            guard let latitude = Double(body.text("Latitude")),
                let longitude = Double(body.text("Longitude"))
            else { return nil }
            return .location(
                latitude: latitude,
                longitude: longitude,
                precision: Double(body.text("Precision")) ?? 0
            )
        default: return UserDataChange(rawValue: name).map { .userData($0) }
        }
    }

    static func menu(_ name: String, _ key: String, _ body: BodyNode) -> Content? {
        let menuID = body.value("MenuId")
        switch name {
        case "CLICK": return .menuClick
        case "VIEW": return .menuView(url: key, menuID: menuID)
        case "view_miniprogram": return .menuMiniProgram(path: key, menuID: menuID)
        case "scancode_push", "scancode_waitmsg":
            let info = body.child("ScanCodeInfo")
            return .menuScan(
                waits: name == "scancode_waitmsg",
                type: info?.text("ScanType") ?? "",
                result: info?.text("ScanResult") ?? ""
            )
        case "pic_sysphoto", "pic_photo_or_album", "pic_weixin":
            let count = body.child("SendPicsInfo")?.text("Count") ?? ""
            return .menuPhotos(source: name, count: Int(count) ?? 0)
        case "location_select":
            let info = body.child("SendLocationInfo")
            return .menuLocation(
                latitude: Double(info?.text("Location_X") ?? ""),
                longitude: Double(info?.text("Location_Y") ?? ""),
                label: info?.text("Label") ?? ""
            )
        default: return nil
        }
    }

    static func report(_ name: String, _ body: BodyNode) -> Content? {
        switch name {
        case "TEMPLATESENDJOBFINISH":
            return .templateFinished(TemplateResult(body.text("Status")))
        case "subscribe_msg_popup_event":
            return .subscribePopup(list(body, "SubscribeMsgPopupEvent").map(choice))
        case "subscribe_msg_change_event":
            return .subscribeChange(list(body, "SubscribeMsgChangeEvent").map(choice))
        case "subscribe_msg_sent_event":
            return .subscribeSent(
                list(body, "SubscribeMsgSentEvent").map {
                    SubscribeResult(
                        templateID: $0.text("TemplateId"),
                        messageID: $0.text("MsgID"),
                        code: Int($0.text("ErrorCode")) ?? 0,
                        status: $0.text("ErrorStatus")
                    )
                }
            )
        case "PUBLISHJOBFINISH":
            let info = body.child("PublishEventInfo")
            return .published(
                PublishResult(
                    publishID: info?.text("publish_id") ?? "",
                    status: Int(info?.text("publish_status") ?? "") ?? -1,
                    articleID: info?.value("article_id")
                )
            )
        default: return nil
        }
    }

    /// One `List` for each template, inside the event's own element or, in some JSON bodies, beside it.
    private static func list(_ body: BodyNode, _ name: String) -> [BodyNode] {
        let inside = body.all(name).flatMap { $0.all("List") }
        return inside.isEmpty ? body.all("List") : inside
    }

    private static func choice(_ node: BodyNode) -> SubscribeChoice {
        SubscribeChoice(
            templateID: node.text("TemplateId"),
            accepted: node.text("SubscribeStatusString") == "accept",
            scene: node.value("PopupScene")
        )
    }
}
