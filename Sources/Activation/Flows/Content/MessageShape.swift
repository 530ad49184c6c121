import BelfryWeChat

/// Which members a message of each type has, for reading YAML: so that a mistake is named where it stands. Limits are the protocol's
/// (``BelfryWeChat/CustomerMessage/validate()``).
struct MessageShape: Sendable {
    var members: [Member]

    struct Member: Sendable {
        var name: String
        var isRequired = false
        /// How the media interface calls what can be named by file instead of by media id.
        var fileKind: String?
        /// Members of the objects in a list, and how many there may be.
        var list: (members: [Member], count: ClosedRange<Int>)?

        /// The member that names a file instead of a media id: `file`, `thumb_file`.
        var fileMember: String? {
            fileKind.map { _ in name == "thumb_media_id" ? "thumb_file" : "file" }
        }
    }

    /// Customer-service messages, in the platform's own words.
    static func customerMessage(_ type: String) -> MessageShape? { customerMessages[type] }

    /// Passive replies: other limits, and handing over to a human.
    static func reply(_ type: String) -> MessageShape? { replies[type] }

    static let customerTypes = customerMessages.keys.sorted()
    static let replyTypes = replies.keys.sorted()

    private static let title = Member(name: "title")
    private static let description = Member(name: "description")
    private static let articleMembers = [
        Member(name: "title", isRequired: true), description, Member(name: "url", isRequired: true),
        Member(name: "picurl"),
    ]

    private static func media(_ kind: String) -> Member {
        Member(
            name: kind == "thumb" ? "thumb_media_id" : "media_id",
            isRequired: true,
            fileKind: kind
        )
    }

    private static func news(_ count: ClosedRange<Int>) -> MessageShape {
        MessageShape(members: [
            Member(name: "articles", isRequired: true, list: (articleMembers, count))
        ])
    }

    private static let shared: [String: MessageShape] = [
        "text": MessageShape(members: [Member(name: "content", isRequired: true)]),
        "image": MessageShape(members: [media("image")]),
        "voice": MessageShape(members: [media("voice")]),
    ]

    private static func music(_ needsAddress: Bool) -> MessageShape {
        MessageShape(members: [
            title, description, Member(name: "musicurl", isRequired: needsAddress),
            Member(name: "hqmusicurl", isRequired: needsAddress), media("thumb"),
        ])
    }

    private static let customerMessages: [String: MessageShape] = shared.merging([
        "video": MessageShape(members: [media("video"), media("thumb"), title, description]),
        "news": news(1...1),
        "music": music(true),
        "mpnews": MessageShape(members: [Member(name: "media_id", isRequired: true)]),
        "mpnewsarticle": MessageShape(members: [Member(name: "article_id", isRequired: true)]),
        "msgmenu": MessageShape(members: [
            Member(name: "head_content"),
            Member(
                name: "list",
                isRequired: true,
                list: (
                    [
                        Member(name: "id", isRequired: true),
                        Member(name: "content", isRequired: true),
                    ],
                    1...50
                )
            ),
            Member(name: "tail_content"),
        ]),
        "wxcard": MessageShape(members: [Member(name: "card_id", isRequired: true)]),
        "miniprogrampage": MessageShape(members: [
            Member(name: "title", isRequired: true), Member(name: "appid", isRequired: true),
            Member(name: "pagepath", isRequired: true), media("thumb"),
        ]),
    ]) { $1 }

    private static let replies: [String: MessageShape] = shared.merging([
        "video": MessageShape(members: [media("video"), title, description]),
        "news": news(1...8),
        "music": music(false),
        "transfer_customer_service": MessageShape(members: [Member(name: "kf_account")]),
    ]) { $1 }

    // MARK: - Checking

    /// What the platform would refuse about a message that is ready to be sent; `nil` where nothing is wrong.
    static func problem(of message: FlowMessage) -> String? {
        do {
            try CustomerMessage(message.json.json).validate()
            return nil
        } catch {
            return error.description
        }
    }

    /// The same for a message as its author wrote it: defaults stand for variables, and names for files.
    static func authoringProblem(of message: FlowMessage) -> String? {
        var message = message
        for file in message.files { message = message.putting("file:\(file.path)", for: file) }
        message.body = message.body.mapStrings { standIn($0, $1) }
        guard customerMessage(message.type) != nil else { return nil }
        return problem(of: message)
    }

    /// A text with defaults, or names, in place of its variables.
    fileprivate static func standIn(_ text: String, _ path: String) -> String {
        // An address that comes whole from a variable is only known when it is sent.
        if path.hasSuffix("url"), text.hasPrefix("{{") { return "https://variable" }
        return TemplateText.parts(of: text).map { part in
            switch part {
            case .text(let text): text
            case .variable(let name, let standard): standard ?? name
            }
        }.joined()
    }
}

extension OtherChannel {
    private var interface: WeChatInterface? { WeChatInterface(rawValue: kind.rawValue) }

    /// What the platform would refuse about a message that is ready to be sent; `nil` where nothing is wrong.
    var problem: String? {
        do {
            try interface?.check(json: body.bytes)
            return nil
        } catch {
            return error.description
        }
    }

    /// The same for a message as its author wrote it. The value of a field with a variable that has no default is only known, and only
    /// checked, when it is sent.
    var authoringProblem: String? {
        guard case .object(let members) = body, case .object(let fields)? = body["data"] else {
            return problem
        }
        let known = fields.filter { field in
            let words = field.value["value"]?.text ?? ""
            return TemplateText.variables(in: .string(words)).allSatisfy { $0.standard != nil }
        }
        do {
            for field in fields {
                try TemplateField(field.key, "").validateName(isTyped: kind == .subscribe)
            }
        } catch {
            return error.description
        }
        let rest = members.filter { $0.key != "data" } + [.init("data", .object(known))]
        return OtherChannel(
            kind,
            body: MessageValue.object(rest).mapStrings { MessageShape.standIn($0, $1) }
        ).problem
    }
}

extension ClosedRange<Int> {
    /// `1 is`, `1 to 8 are`.
    var words: String {
        lowerBound == upperBound ? "exactly \(lowerBound) is" : "\(lowerBound) to \(upperBound) are"
    }
}
