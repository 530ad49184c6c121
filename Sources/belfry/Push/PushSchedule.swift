import ArgumentParser
import BelfryClient
import BelfryServer

/// `belfry push schedule`: one push.
struct PushSchedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule",
        abstract: "Schedule one push; an id that is pending already is replaced.",
        discussion: """
            Examples:
              belfry push schedule --id order/17 --account shop --to oABC --in 90s \\
                  --channel wechat --payload '{"msgtype":"text","text":{"content":"你好"}}'
              belfry push schedule --id coupon/1 --account shop --to 42 --at 2026-12-24T10:00:00+08:00 \\
                  --channel webhook --payload-file coupon.json --expires 2026-12-24T11:00:00+08:00
            """
    )

    @Option(help: "Its name, chosen by you: the same name again replaces it.")
    var id: String
    @Option(help: "The account it belongs to.")
    var account: String?
    @Option(help: "The recipient: an openid, or your own id of the person.")
    var to: String
    @Option(
        name: .customLong("in"),
        help: "How long from now it is due, such as 90s, 5m, 2h30m or PT1H."
    )
    var delay: String?
    @Option(
        name: .customLong("at"),
        help:
            "When it is due: RFC 3339, such as 2026-12-24T10:00:00+08:00, or milliseconds since 1970."
    )
    var due: String?
    @Option(help: "The channel that carries it: \(BelfryNode.channelList.joined(separator: ", ")).")
    var channel: String
    @Option(help: "urgent, high, normal or low. (default: normal)")
    var priority: String?
    @Option(help: "After this time it is no longer worth sending: as --at.")
    var expires: String?
    @Option(help: "What is sent, as text or JSON.")
    var payload: String?
    @Option(help: "A file with what is sent; - for standard input.")
    var payloadFile: String?
    @OptionGroup var api: APIOptions

    func validate() throws {
        guard (delay == nil) != (due == nil) else {
            throw ValidationError("Give either --in or --at.")
        }
        guard (payload == nil) != (payloadFile == nil) else {
            throw ValidationError("Give either --payload or --payload-file.")
        }
    }

    func run() async throws {
        try await reporting {
            let text = try payload ?? Input.text(of: payloadFile ?? "-")
            let push = JSON.of([
                "id": .string(id), "account": .text(account), "to": .string(to),
                "due": .time(due), "delay": .text(delay), "channel": .string(channel),
                "priority": .text(priority), "expires": .time(expires), "payload": .string(text),
            ])
            let answer: JSON
            do {
                answer = try await api.client().call(.post, "/v1/pushes", body: push)
            } catch ClientError.refused(let refusal) {
                throw ClientError.refused(refusal.naming(Self.options))
            }
            if api.json { return print(answer.text) }
            say("\(answer["status"].cell)  \(answer["id"].cell)  due \(answer["due"].cell)")
        }
    }

    /// What the members of a push are called here.
    private static let options = [
        "/id": "--id", "/account": "--account", "/to": "--to", "/due": "--at", "/delay": "--in",
        "/channel": "--channel", "/priority": "--priority", "/expires": "--expires",
        "/payload": "--payload",
    ]
}
