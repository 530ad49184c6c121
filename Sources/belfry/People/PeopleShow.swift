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
            let timeline = try await page.fetch(client, path + "/timeline")
            let profile = try await profile(client, path, timeline)
            if api.json {
                return print(JSON.object(["person": profile, "timeline": timeline]).text)
            }
            show(profile)
            print("\nPlanned")
            showPlanned(timeline["planned"].array)
            print("\nHistory, newest first")
            DeliveryTable.print(timeline["items"].array)
            page.tellMore(timeline)
        }
    }

    /// Null for somebody whom only pushes know: people of business servers, who never follow anything.
    private func profile(_ client: APIClient, _ path: String, _ timeline: JSON) async throws -> JSON
    {
        do {
            return try await client.call(.get, path)
        } catch ClientError.refused(let refusal) {
            let isKnown = !(timeline["items"].array + timeline["planned"].array).isEmpty
            guard refusal.status == 404, isKnown else { throw ClientError.refused(refusal) }
            return .null
        }
    }

    private func show(_ profile: JSON) {
        guard profile != .null else {
            return say(
                "\(person) of \(account) is known by pushes alone: no profile, no permissions"
            )
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
        table.print(whenEmpty: "nothing that flows or this history know of")
    }
}
