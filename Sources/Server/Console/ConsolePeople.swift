import BelfryActivation
import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// People in the console: finding one, and what was planned for them and became of it.
extension API {
    func peoplePage(_ call: Call) async throws -> Response {
        var page = ConsolePage(call, title: "people")
        let prefix = call.query("q") ?? ""
        do {
            let found = try await findPeople(prefix)
            storeIsUp()
            // Who typed a whole id wants that person.
            if found.count == 1, found[0].recipient.person == prefix {
                return redirect(to: DeliveryRows.personURL(found[0].recipient))
            }
            page.values["rows"] = found.map { row($0, page) }
            page.values["hasRows"] = !found.isEmpty
            page.values["nothingYet"] = found.isEmpty && prefix.isEmpty
            page.values["nothingMatches"] = found.isEmpty && !prefix.isEmpty
        } catch let error as RecordsError {
            if error.code == .invalid { throw error }
            storeIsDown(&page)
        }
        return page.response("people")
    }

    /// Those whose id begins so, of all accounts, up to a hundred and some.
    private func findPeople(_ prefix: String) async throws -> [PersonRecord] {
        var found: [PersonRecord] = []
        for account in try await server.records.accounts.all() {
            let part = try await server.records.people.list(
                account: account.key,
                prefix: prefix,
                limit: 50
            )
            found += part.items
            if found.count >= 100 { break }
        }
        return found
    }

    private func row(_ person: PersonRecord, _ page: ConsolePage) -> [String: Any] {
        [
            "person": person.recipient.person,
            "account": person.recipient.account,
            "nickname": person.nickname ?? "",
            "url": DeliveryRows.personURL(person.recipient),
            "state": page.word(person.subscribed ? "follows" : "left_account"),
            "tone": person.subscribed ? "good" : "soft",
            "seen": person.lastEventAt.map { TimeText.render($0) } ?? "",
        ]
    }

    func personPage(_ call: Call) async throws -> Response {
        var page = ConsolePage(call, title: try call.parameter("person"))
        let person = try await person(call)
        let rows = DeliveryRows(language: page.language)
        let history = try await server.records.deliveries.timeline(
            person.recipient,
            limit: 100,
            cursor: call.query("cursor")
        )
        let isFirst = call.query("cursor") == nil
        let planned =
            isFirst ? try await planned(for: person.recipient, history.items.map(\.push)) : []
        let items =
            planned.reversed().map { rows.row($0) } + history.items.map { rows.row($0) }
        page.values["person"] = person.recipient.person
        page.values["nickname"] = person.nickname ?? ""
        page.values["subscribed"] = page.word(person.subscribed ? "follows" : "left_account")
        page.values["subscribedTone"] = person.subscribed ? "good" : "soft"
        page.values["tags"] = person.tags
        page.values["facts"] = facts(person, page)
        page.values["rows"] = items
        page.values["hasRows"] = !items.isEmpty
        page.values["nothingYet"] = items.isEmpty
        page.values["filtered"] = true
        if let next = history.next {
            page.values["next"] = "?cursor=" + HTMLText.percentEncode(next)
        }
        permissions(person, &page)
        return page.response("person")
    }

    private func facts(_ person: PersonRecord, _ page: ConsolePage) -> [[String: Any]] {
        func time(_ name: String, _ time: Timestamp?) -> [String: Any]? {
            time.map { ["name": page.word(name), "time": TimeText.render($0)] }
        }
        let account: [String: Any] = [
            "name": page.word("account"), "value": person.recipient.account,
        ]
        let scene: [String: Any]? = person.scene.map {
            ["name": page.word("scene"), "value": $0]
        }
        return [
            account, scene, time("followed", person.followedAt),
            time("unfollowed", person.unsubscribedAt), time("lastWrote", person.lastMessageAt),
        ].compactMap { $0 }
    }

    /// One bar a grant: how much of it is left, and until when.
    private func permissions(_ person: PersonRecord, _ page: inout ConsolePage) {
        let now = server.clock.now()
        let isOpen = person.grants.contains { $0.isOpen(at: now) && !$0.isConsent }
        page.values["permissionSummary"] = page.word(isOpen ? "may" : "mayNot")
        let current = page
        page.values["grants"] = person.grants.sorted { $0.expires > $1.expires }.prefix(20).map {
            grant -> [String: Any] in
            let left = grant.quota.map { max(0, $0 - grant.used) }
            let share = grant.quota.map { $0 == 0 ? 0 : 100 * (left ?? 0) / $0 } ?? 100
            let detail =
                grant.quota.map {
                    "\(current.word("left")) \(left ?? 0) \(current.word("of")) \($0)"
                } ?? current.word("unlimited")
            return [
                "source": grant.source,
                "left": String(grant.isOpen(at: now) ? share : 0),
                "detail": detail,
                "ends": !grant.isConsent,
                "expires": TimeText.render(grant.expires),
                "closed": grant.isOpen(at: now) ? "" : "closed",
            ]
        }
    }
}
