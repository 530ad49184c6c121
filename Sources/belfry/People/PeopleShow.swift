import ArgumentParser
import BelfryClient

/// `belfry people show`: answers "why was this not sent?" for one person.
struct PeopleShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract:
            "Show a person: what may be sent, what is planned, what became of the rest and why."
    )

    @Argument(help: "The account.")
    var account: String
    @Argument(help: "The person: an openid, or your own id.")
    var person: String
    @OptionGroup var page: PageOptions
    @OptionGroup var api: APIOptions

    func run() async throws {
        try await reporting {
            let client = try api.client()
            let path = PeoplePath.of(account, person)
            let profile = try await client.call(.get, path)
            let timeline = try await page.fetch(client, path + "/timeline")
            if api.json {
                return print(JSON.object(["person": profile, "timeline": timeline]).text)
            }
            Facts(
                profile,
                [
                    "person", "account", "subscribed", "nickname", "scene", "tags", "followed_at",
                    "unsubscribed_at", "last_message_at", "last_event_at",
                ]
            ).print()
            print("\nPermissions")
            showGrants(profile["permissions"]["grants"].array)
            print("\nPlanned")
            showPlanned(timeline["planned"].array)
            print("\nHistory, newest first")
            DeliveryTable.print(timeline["items"].array)
            page.tellMore(timeline)
        }
    }

    private func showGrants(_ grants: [JSON]) {
        var table = Table("SOURCE", "OPEN", "UNTIL", "LEFT", "GRANTED", "RULE")
        for grant in grants {
            table.add(
                grant["source"].cell,
                grant["open"].bool == true ? "yes" : "no",
                grant["expires"].cell,
                grant["left"] == .null ? "any" : grant["left"].cell,
                grant["granted"].cell,
                grant["rule"].cell
            )
        }
        table.print(
            whenEmpty: "nothing may be sent: the person has not done anything that opens a window"
        )
    }

    private func showPlanned(_ pushes: [JSON]) {
        var table = Table("DUE", "ASKED", "STATE", "PUSH")
        for push in pushes { 
            table.add(
                push["due"].cell,
                push["asked"].cell,
                push["state"].cell,
                push["id"].cell
            )
        }
        table.print(whenEmpty: "nothing is planned by a flow")
    }
}

/// What became of pushes, with reasons.
enum DeliveryTable {
    static func print(_ deliveries: [JSON]) {
        var table = Table("AT", "STATE", "LATE", "WHAT", "CHANNEL", "REASON")
        for delivery in deliveries {
            let step = [delivery["flow"], delivery["step"]].map(\.cell).filter { !$0.isEmpty }
            table.add(
                delivery["at"].cell,
                delivery["state"].cell,
                lateness(delivery),
                step.isEmpty ? delivery["push"].cell : step.joined(separator: "/"),
                delivery["channel"].cell,
                reason(delivery["reason"])
            )
        }
        table.print(whenEmpty: "nothing yet")
    }

    /// How late, and how much of that a hold took.
    private static func lateness(_ delivery: JSON) -> String {
        guard delivery["lateness_ms"] != .null else { return "" }
        let late = "\(delivery["lateness_ms"].cell) ms"
        guard delivery["held_for"] != .null else { return late }
        return "\(late), \(delivery["held_ms"].cell) of it \(delivery["held_for"].cell)"
    }

    static func reason(_ reason: JSON) -> String {
        let message = reason["message"].cell
        let code = reason["code"].cell
        return message.isEmpty ? code : code.isEmpty ? message : "\(message) (\(code))"
    }
}
