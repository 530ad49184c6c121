import ArgumentParser
import BelfryClient
import BelfryServer

/// `belfry topic set`: makes a topic, or changes it.
struct TopicSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Make a topic, or change what is given of one; another time moves everybody.",
        discussion: """
            Examples:
              belfry topic set coupon-1121 --account shop --opening 2026-11-21T10:00:00+08:00 --channel wechat \\
                  --title 满减券 --message '{{title}} {{time}} 开抢'
              belfry topic set coupon-1121 --lead 5m --merge collect --grace 60s --max-wait 2m

            A message is a text, or the channel's own form as JSON, with {{title}}, {{opening}}, {{date}}, {{time}}, \
            {{topic}}, {{openid}}, {{account}}; what several become (--merge-message) also with {{count}}, {{titles}}, {{list}}.
            """
    )

    @Argument(help: "Its key, chosen by you.")
    var topic: String
    @Option(help: "The account that sends it.")
    var account: String?
    @Option(help: "What it is called in messages.")
    var title: String?
    @Option(help: "When it opens: RFC 3339, local time of the account, or milliseconds since 1970.")
    var opening: String?
    @Option(help: "How long before that people are reminded, such as 10m.")
    var lead: String?
    @Option(help: "The channel that carries it: \(BelfryNode.channelList.joined(separator: ", ")).")
    var channel: String?
    @Option(help: "What is sent, as text or JSON.")
    var message: String?
    @Option(help: "A file with what is sent; - for standard input.")
    var messageFile: String?
    @Option(help: "How near reminders become one: newest, collect or none.")
    var merge: String?
    @Option(help: "How near the next one has to be, such as 60s.")
    var grace: String?
    @Option(help: "The longest that the first one waits. (default: grace)")
    var maxWait: String?
    @Option(help: "What is sent where several were collected, as text or JSON.")
    var mergeMessage: String?
    @Option(help: "urgent, high, normal or low.")
    var priority: String?
    @Option(help: "How long after the opening it is still worth sending, or never.")
    var expiresAfter: String?
    @OptionGroup var api: APIOptions

    func validate() throws {
        let hasRule = merge != nil && merge != "none"
        let hasDetails = grace != nil || maxWait != nil || mergeMessage != nil
        if hasRule != (grace != nil) || (hasDetails && !hasRule) {
            throw ValidationError("Give --merge newest or collect together with --grace.")
        }
        if message != nil, messageFile != nil {
            throw ValidationError("Give either --message or --message-file.")
        }
    }

    func run() async throws {
        try await reporting {
            let client = try api.client()
            let path = TopicCommand.path(topic)
            let members = JSON.object(try members())
            let answer: JSON
            do {
                answer = try await client.call(.patch, path, body: members)
            } catch ClientError.refused(let refusal) where refusal.status == 404 {
                answer = try await client.call(.put, path, body: members)
            }
            if api.json { return print(answer.text) }
            say("\(topic) opens \(answer["opening"].cell), people are told \(answer["due"].cell)")
            print(TopicCommand.moving(answer))
        }
    }

    private func members() throws -> [String: JSON] {
        let texts = [
            "account": account, "title": title, "lead": lead, "channel": channel,
            "priority": priority,
        ]
        var members = texts.compactMapValues { $0.map { JSON.string($0) } }
        if let opening { members["opening"] = .time(opening) }
        if let expiresAfter {
            members["expires_after"] = expiresAfter == "never" ? .null : .string(expiresAfter)
        }
        if let text = try message ?? messageFile.map(Input.text(of:)) {
            members["message"] = Self.message(text)
        }
        if merge == "none" { members["merge"] = .null }
        if let merge, merge != "none" {
            members["merge"] = JSON.of([
                "mode": .string(merge), "grace": .text(grace), "max_wait": .text(maxWait),
                "message": mergeMessage.map(Self.message) ?? .null,
            ])
        }
        return members
    }

    /// What looks like an object is one; everything else is a text.
    private static func message(_ text: String) -> JSON {
        guard text.first(where: { !$0.isWhitespace }) == "{",
            // `{{title}} opens` begins so, too, and is no JSON.
            let object = try? JSON(parsing: text.utf8)
        else { return .string(text) }
        return object
    }
}
