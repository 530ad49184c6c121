/// What a person does with an account, and so what WeChat pushes about it.
package struct Interaction: Sendable, Hashable {
    enum Effect: Sendable, Hashable {
        case none
        case follow(scene: String)
        case unfollow
        /// Agrees to one more notification of each of these templates.
        case consent([String])
        case withdraw([String])
    }

    /// `text`, `image` … or `event`.
    var type: String
    /// Behind MsgType, before MsgId.
    var fields: [Field]
    /// The window that it may open.
    var action: UserAction?
    var effect = Effect.none

    var isEvent: Bool { type == "event" }

    private static func event(
        _ name: String,
        _ fields: [Field],
        opens action: UserAction? = nil,
        effect: Effect = .none
    ) -> Interaction {
        Interaction(
            type: "event",
            fields: [Field("Event", name)] + fields,
            action: action,
            effect: effect
        )
    }

    /// An event by which nobody acts: it opens nothing.
    static func report(_ name: String, _ fields: [Field]) -> Interaction { event(name, fields) }

    private static func message(
        _ type: String,
        _ fields: [Field],
        opens action: UserAction = .message
    ) -> Interaction {
        Interaction(type: type, fields: fields, action: action)
    }

    // MARK: Events

    /// - Parameter scene: that of the QR code by which they came.
    package static func follow(scene: String? = nil, ticket: String? = nil) -> Interaction {
        var fields = [Field("EventKey", scene.map { "qrscene_\($0)" } ?? "")]
        if let scene { fields.append(Field("Ticket", ticket ?? "ticket-of-\(scene)")) }
        return event("subscribe", fields, opens: .follow, effect: .follow(scene: scene ?? ""))
    }

    /// A follow by another way in, whose EventKey is no scene (`last_trade_no_…`).
    package static func follow(eventKey: String) -> Interaction {
        event(
            "subscribe",
            [Field("EventKey", eventKey)],
            opens: .follow,
            effect: .follow(scene: "")
        )
    }

    package static let unfollow = event(
        "unsubscribe",
        [Field("EventKey", "")],
        effect: .unfollow
    )

    /// A follower scans a QR code with a scene.
    package static func scan(scene: String, ticket: String? = nil) -> Interaction {
        event(
            "SCAN",
            [Field("EventKey", scene), Field("Ticket", ticket ?? "ticket-of-\(scene)")],
            opens: .scan
        )
    }

    package static func tapMenu(key: String) -> Interaction {
        event("CLICK", [Field("EventKey", key)], opens: .menuTap)
    }

    /// Taps a menu entry that opens a page: no window.
    package static func view(url: String, menuID: String = "430310321") -> Interaction {
        event("VIEW", [Field("EventKey", url), Field("MenuId", menuID)])
    }

    /// Taps a menu entry that opens a mini program: no window.
    package static func viewMiniProgram(path: String, menuID: String = "430310321")
        -> Interaction
    {
        event("view_miniprogram", [Field("EventKey", path), Field("MenuId", menuID)])
    }

    /// A menu entry that scans a code: `scancode_push`, or `scancode_waitmsg` when `waits`.
    package static func scanCode(key: String, result: String, waits: Bool = false)
        -> Interaction
    {
        event(
            waits ? "scancode_waitmsg" : "scancode_push",
            [
                Field("EventKey", key),
                Field(
                    "ScanCodeInfo",
                    [Field("ScanType", "qrcode"), Field("ScanResult", result)]
                ),
            ],
            opens: .menuTap
        )
    }

    /// The position reported at chat entry or every 5 seconds: no window.
    package static func reportPosition(
        latitude: Double,
        longitude: Double,
        precision: Double = 65
    ) -> Interaction {
        event(
            "LOCATION",
            [
                Field("Latitude", latitude), Field("Longitude", longitude),
                Field("Precision", precision),
            ]
        )
    }

    /// An event that is not known to this simulator either: no window.
    package static func otherEvent(_ name: String, _ fields: [(name: String, value: String)] = [])
        -> Interaction
    {
        event(name, fields.map { Field($0.name, $0.value) })
    }

    // MARK: Messages

    package static func say(_ text: String) -> Interaction {
        message("text", [Field("Content", text)])
    }

    /// Taps an entry of a `msgmenu` message: it arrives as a text, but opens a window as a menu tap.
    package static func answerMenu(id: String, content: String) -> Interaction {
        message(
            "text",
            [Field("Content", content), Field("bizmsgmenuid", id)],
            opens: .menuTap
        )
    }

    package static func image(mediaID: String, picURL: String = "http://mmbiz.qpic.cn/p/0")
        -> Interaction
    {
        message("image", [Field("PicUrl", picURL), Field("MediaId", mediaID)])
    }

    package static func voice(mediaID: String, format: String = "amr", words: String? = nil)
        -> Interaction
    {
        var fields = [
            Field("MediaId", mediaID), Field("Format", format),
            Field("MediaId16K", mediaID + "16k"),
        ]
        if let words { fields.append(Field("Recognition", words)) }
        return message("voice", fields)
    }

    /// - Parameter short: `shortvideo` instead of `video`.
    package static func video(mediaID: String, thumbMediaID: String, short: Bool = false)
        -> Interaction
    {
        message(
            short ? "shortvideo" : "video",
            [Field("MediaId", mediaID), Field("ThumbMediaId", thumbMediaID)]
        )
    }

    package static func place(
        latitude: Double,
        longitude: Double,
        scale: Int64 = 16,
        label: String
    ) -> Interaction {
        message(
            "location",
            [
                Field("Location_X", latitude), Field("Location_Y", longitude),
                Field("Scale", scale), Field("Label", label),
            ]
        )
    }

    package static func link(title: String, description: String, url: String) -> Interaction {
        message(
            "link",
            [Field("Title", title), Field("Description", description), Field("Url", url)]
        )
    }
}
