import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import Hummingbird
import Testing

@Suite("The API")
struct APITests {
    private let push =
        #"{"id":"a/b","account":"shop","to":"o1","delay":"90s","channel":"log","payload":{"n":1}}"#

    @Test("schedules, finds and cancels a push, whatever characters its id has")
    func push() async throws {
        let fixture = try await ServerFixture()
        let scheduled = try await fixture.admin(.post, "/v1/pushes", push)
        #expect(scheduled.status == 202)
        #expect(scheduled.json["status"]?.string == "accepted")
        #expect(scheduled.json["due"]?.string == "2023-11-14T22:14:50.000Z")
        let found = try await fixture.admin(.get, "/v1/pushes/a%2Fb")
        #expect(found.status == 200)
        #expect(found.json["payload"]?["n"]?.integer == 1)
        #expect(found.json["sequence"]?.string == "1")
        let cancelled = try await fixture.admin(.delete, "/v1/pushes/a%2Fb")
        #expect(cancelled.json["status"]?.string == "cancelled")
        let gone = try await fixture.admin(.delete, "/v1/pushes/a%2Fb")
        #expect(gone.json["status"]?.string == "gone")
        #expect(try await fixture.admin(.get, "/v1/pushes/a%2Fb").status == 404)
    }

    @Test(
        "refuses query parameters that it does not know, and names those it does",
        arguments: [
            ("/v1/deliveries?acount=shop", "account"), ("/v1/deliveries?limit=5&pages=2", "limit"),
            ("/v1/accounts?limit=5", "none"), ("/v1/stats?x", "none"),
        ]
    )
    func unknownQuery(path: String, allowed: String) async throws {
        let fixture = try await ServerFixture()
        let answer = try await fixture.admin(.get, path)
        #expect(answer.status == 400)
        #expect(answer.json["detail"]?.string?.contains(allowed) ?? false, "\(answer.json)")
        let fields = try #require(answer.json["errors"]?.array)
        #expect(fields.count == 1 && fields[0]["pointer"]?.string?.hasPrefix("?") ?? false)
        // Who has no key learns nothing.
        #expect(try await fixture.send(.get, path).status == 401)
        #expect(try await fixture.admin(.get, "/v1/deliveries?account=shop&limit=5").status == 200)
    }

    @Test("cancels many, with counts")
    func cancelMany() async throws {
        let fixture = try await ServerFixture()
        _ = try await fixture.admin(.post, "/v1/pushes", push)
        let answer = try await fixture.admin(.post, "/v1/pushes:cancel", #"{"ids":["a/b","c"]}"#)
        #expect(answer.json["cancelled"]?.integer == 1)
        #expect(answer.json["gone"]?.integer == 1)
        #expect(answer.json["results"]?.array?.count == 2)
    }

    static let wrongBodies: [(String, Int, [String])] = [
        ("", 400, []),
        ("[]", 400, []),
        ("{", 400, []),
        (#"{"id":1}"#, 422, ["/id", "/to", "/channel", "/due", "/payload"]),
        (
            #"{"id":"","account":"shop","to":"","due":"x","channel":"log","payload":1}"#, 422,
            ["/id", "/to", "/due"]
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":"2224-01-01T00:00:00Z","channel":"log","payload":1}"#,
            422, ["/due"]
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"delay":"1s","channel":"log","payload":1}"#,
            422, ["/delay"]
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000005,"expires":1700000000005,"channel":"log","payload":1}"#,
            422, ["/expires"]
        ),
        (
            #"{"id":"a","account":"shop","to":"o","delay":"1h","expires":"2023-11-14T22:30:00Z","channel":"log","payload":1}"#,
            422, ["/expires"]
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"chanel":"log","payload":1}"#,
            422,
            ["/channel", "/chanel"]
        ),
        (
            #"{"id":"a","account":"x","to":"o","due":1700000000000,"channel":"fax","payload":1}"#,
            422,
            ["/channel", "/account"]
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"wechat","payload":1}"#,
            422,
            ["/payload"]
        ),
        (
            #"{"id":"a","account":"shop","to":"o","due":1700000000000,"channel":"log","payload":1,"merge":{"grace":"x"}}"#,
            422, ["/merge/key", "/merge/grace"]
        ),
    ]

    @Test("names every wrong field with a pointer", arguments: wrongBodies)
    func wrong(body: String, status: Int, pointers: [String]) async throws {
        let fixture = try await ServerFixture()
        let answer = try await fixture.admin(.post, "/v1/pushes", body)
        #expect(answer.status == status)
        #expect(answer.pointers == pointers)
        #expect(fixture.timeline.pushes.isEmpty)
    }

    @Test("takes a due time in the past as due now")
    func past() async throws {
        let fixture = try await ServerFixture()
        let body = push.replacing(#""delay":"90s""#, with: #""due":"2019-01-01T00:00:00Z""#)
        #expect(try await fixture.admin(.post, "/v1/pushes", body).status == 202)
    }

    @Test("takes an expiry that is later than due, be both in the past: it ends as expired")
    func expiry() async throws {
        let fixture = try await ServerFixture()
        let body = push.replacing(
            #""delay":"90s""#,
            with: #""due":1700000000005,"expires":1700000000006"#
        )
        #expect(try await fixture.admin(.post, "/v1/pushes", body).status == 202)
        #expect(
            fixture.timeline.pushes["a/b"]?.expires == Timestamp(milliseconds: 1_700_000_000_006)
        )
    }

    @Test("a push that is scheduled, replaced and cancelled has a line for each, many as one")
    func history() async throws {
        let fixture = try await ServerFixture()
        let push =
            #"{"id":"a/1","account":"shop","to":"o","delay":"1h","channel":"log","payload":"x"}"#
        for _ in 0..<2 { #expect(try await fixture.admin(.post, "/v1/pushes", push).status == 202) }
        await fixture.dependencies.late.finish()
        fixture.clock.advance(by: .seconds(1))
        let cancel = #"{"ids":["a/1","a/2"]}"#
        #expect(try await fixture.admin(.post, "/v1/pushes:cancel", cancel).status == 200)
        let timeline = try await fixture.admin(.get, "/v1/accounts/shop/people/o/timeline")
        let states = timeline.json["items"]?.array?.map { $0["state"]?.string ?? "" } ?? []
        #expect(states.first == "cancelled")
        #expect(states.sorted() == ["cancelled", "replaced", "scheduled"])
        #expect(timeline.text.contains("cancelled by admin"))
    }

    @Test("a version that waits behind one in flight ends with a line, replaced or cancelled")
    func parkedHistory() async throws {
        let fixture = try await ServerFixture()
        func push(_ delay: String) -> String {
            #"{"id":"a/1","account":"shop","to":"o","delay":"\#(delay)","channel":"log","payload":"x"}"#
        }
        func schedule(_ body: String) async throws -> String? {
            try await fixture.admin(.post, "/v1/pushes", body).json["status"]?.string
        }
        #expect(try await schedule(push("1h")) == "accepted")
        fixture.timeline.lend("a/1")
        #expect(try await schedule(push("2h")) == "parked")
        #expect(try await schedule(push("3h")) == "parked")
        fixture.clock.advance(by: .seconds(1))
        let bulk = try await fixture.admin(
            .post,
            "/v1/pushes:bulk",
            push("4h") + "\n" + push("5h"),
            headers: [.contentType: "application/x-ndjson"]
        )
        #expect(bulk.text.matches(of: /"status":"parked"/).count == 2)
        await fixture.dependencies.late.finish()
        fixture.clock.advance(by: .seconds(1))
        let cancelled = try await fixture.admin(
            .post,
            "/v1/pushes:cancel",
            #"{"ids":["a/1"]}"#
        )
        #expect(cancelled.json["in_flight"]?.integer == 1)
        let again = try await fixture.admin(.delete, "/v1/pushes/a%2F1")
        #expect(again.json["status"]?.string == "in_flight")
        let timeline = try await fixture.admin(.get, "/v1/accounts/shop/people/o/timeline")
        let states = timeline.json["items"]?.array?.map { $0["state"]?.string ?? "" } ?? []
        #expect(states == ["cancelled", "replaced", "replaced", "replaced", "scheduled"])
        #expect(timeline.text.contains("cancelled by admin"))
    }

    @Test("a push that is held says what for, since when and until when; without records the rest")
    func held() async throws {
        let fixture = try await ServerFixture()
        let body =
            #"{"id":"a/1","account":"shop","to":"o","delay":"1s","channel":"log","payload":"x"}"#
        #expect(try await fixture.admin(.post, "/v1/pushes", body).status == 202)
        func shown() async throws -> JSONValue {
            try await fixture.admin(.get, "/v1/pushes/a%2F1").json
        }
        #expect(try await shown()["held"] == nil)
        let due = fixture.clock.now() + .seconds(1)
        let until = due + .hours(8)
        fixture.clock.advance(by: .seconds(2))
        fixture.timeline.hold("a/1", until: until)
        #expect(try await shown()["held"] == nil, "the history does not tell it yet")
        func line(_ sequence: UInt64, _ state: WaitingState, _ code: String) -> DeliveryRecord {
            var line = DeliveryRecord(
                push: "a/1",
                sequence: sequence,
                recipient: Recipient(account: "shop", person: "o"),
                channel: "log",
                due: due,
                at: fixture.clock.now(),
                state: .waiting(state),
                cause: SendCause(code: code, message: "quiet until morning", remedy: "wait")
            )
            line.asked = due
            return line
        }
        try await fixture.dependencies.records.deliveries.append([line(1, .heldQuiet, "quiet")])
        fixture.clock.advance(by: .seconds(1))
        // A newer version is another matter.
        try await fixture.dependencies.records.deliveries.append([line(2, .heldPaused, "paused")])
        let held = try await shown()["held"]
        #expect(held?["state"] == "held_quiet")
        #expect(held?["code"] == "quiet")
        #expect(held?["message"] == "quiet until morning")
        #expect(held?["remedy"] == "wait")
        #expect(held?["until"]?.string == TimeText.render(until))
        #expect(held?["since"]?.string == TimeText.render(fixture.clock.now() - .seconds(1)))
        await fixture.dependencies.records.close()
        #expect(try await shown()["state"] == "scheduled")
    }

    @Test("a query parameter that is given twice is refused, whatever its values")
    func repeatedQuery() async throws {
        let fixture = try await ServerFixture()
        for query in ["limit=5&limit=6", "limit=5&limit=5", "limit=5&account=a&limit="] {
            let answer = try await fixture.admin(.get, "/v1/deliveries?\(query)")
            #expect(answer.status == 400 && answer.pointers == ["?limit"], "\(query)")
        }
        #expect(try await fixture.admin(.get, "/v1/deliveries?limit=5&account=a").status == 200)
    }

    @Test("lines beyond what may wait are left out, and no request waits for them")
    func lateLines() async throws {
        let fixture = try await ServerFixture()
        let late = LateLines(
            records: fixture.dependencies.records,
            feed: LiveFeed(),
            logger: fixture.dependencies.logger,
            limit: 2
        )
        late.add(
            (0..<5).map { number in
                DeliveryRecord(
                    push: PushID("p\(number)"),
                    sequence: 1,
                    recipient: Recipient(account: "shop", person: "o"),
                    channel: "log",
                    due: fixture.clock.now(),
                    at: fixture.clock.now(),
                    state: .ended(.replaced)
                )
            }
        )
        await late.finish()
        var query = DeliveryQuery()
        query.account = "shop"
        #expect(try await fixture.dependencies.records.deliveries.find(query).items.count <= 2)
    }

    @Test("answers an id of 10 kB, invalid UTF-8 and a wrong media type clearly")
    func hostile() async throws {
        let fixture = try await ServerFixture()
        let long = push.replacing("a/b", with: String(repeating: "i", count: 10_000))
        let answer = try await fixture.admin(.post, "/v1/pushes", long)
        #expect(answer.status == 422 && answer.pointers == ["/id"])
        let path = try await fixture.admin(.get, "/v1/pushes/%ff%fe")
        #expect(path.status == 422 && path.pointers == ["?id"])
        let xml = try await fixture.admin(
            .post,
            "/v1/pushes",
            "<a/>",
            headers: [.contentType: "text/xml"]
        )
        #expect(xml.status == 415)
    }

    @Test("refuses a body above the limit with 413, announced or not")
    func tooLarge() async throws {
        var fixture = try await ServerFixture()
        fixture.dependencies.configuration.http.bodyBytesMax = 1024
        fixture.dependencies.configuration.http.bulkBytesMax = 1024
        let body = String(repeating: " ", count: 2000)
        #expect(try await fixture.admin(.post, "/v1/pushes", body).status == 413)
        #expect(try await fixture.admin(.post, "/v1/pushes:bulk", body).status == 413)
        #expect(try await fixture.admin(.post, "/v1/pushes:bulk", body).code == "too_large")
    }

    @Test("does a request with the same Idempotency-Key once, and answers the same")
    func idempotency() async throws {
        let fixture = try await ServerFixture()
        let headers: HTTPFields = [.idempotencyKey: "k1"]
        let first = try await fixture.admin(.post, "/v1/pushes", push, headers: headers)
        let again = try await fixture.admin(.post, "/v1/pushes", push, headers: headers)
        #expect(first.status == 202 && again.status == 202)
        #expect(first.json == again.json)
        #expect(again.headers[.idempotencyReplay] == "true")
        #expect(fixture.timeline.batches.count == 1)
        let other = push.replacing("o1", with: "o2")
        let mismatch = try await fixture.admin(.post, "/v1/pushes", other, headers: headers)
        #expect(mismatch.status == 422 && mismatch.code == "idempotency_mismatch")
        fixture.clock.advance(by: .hours(25))
        let later = try await fixture.admin(.post, "/v1/pushes", other, headers: headers)
        #expect(later.status == 202)
    }

    @Test("lets a request that failed here be tried again with the same key")
    func idempotencyAfterFailure() async throws {
        let fixture = try await ServerFixture()
        let headers: HTTPFields = [.idempotencyKey: "k2"]
        fixture.timeline.fail(with: TimelineError(.full, "the disk is full"))
        let full = try await fixture.admin(.post, "/v1/pushes", push, headers: headers)
        #expect(full.status == 507 && full.headers[.retryAfter] == "10")
        fixture.timeline.fail(with: nil)
        #expect(try await fixture.admin(.post, "/v1/pushes", push, headers: headers).status == 202)
    }

    @Test("keeps the secrets of accounts to itself, and notes who changed them")
    func accounts() async throws {
        let fixture = try await ServerFixture()
        let created = try await fixture.admin(
            .post,
            "/v1/accounts",
            #"{"key":"shop","kind":"wechat","app_id":"wx1","secret":"s3cr3t-1","token":"t0ken-2","rate":7}"#
        )
        #expect(created.status == 201)
        #expect(created.headers[.location] == "/v1/accounts/shop")
        #expect(created.json["secrets"]?["secret"]?.bool == true)
        #expect(created.json["secrets"]?["webhook_secret"]?.bool == false)
        let patched = try await fixture.admin(
            .patch,
            "/v1/accounts/shop",
            #"{"name":"Shop","token":null,"daily_quota":100}"#
        )
        #expect(patched.json["rate"]?.integer == 7)
        #expect(patched.json["secrets"]?["token"]?.bool == false)
        let list = try await fixture.admin(.get, "/v1/accounts")
        for answer in [created, patched, list] {
            #expect(!answer.text.contains("s3cr3t") && !answer.text.contains("t0ken"))
        }
        let stored = try await fixture.dependencies.records.accounts.find("shop")
        #expect(stored?.secret?.reveal() == "s3cr3t-1")
        let twice = try await fixture.admin(.post, "/v1/accounts", #"{"key":"shop"}"#)
        #expect(twice.status == 409)
        let bad = try await fixture.admin(
            .patch,
            "/v1/accounts/shop",
            #"{"rate":0,"mode":"loud","base_url":"ftp://x","encoding_aes_key":"short"}"#
        )
        #expect(Set(bad.pointers) == ["/rate", "/mode", "/base_url", "/encoding_aes_key"])
        let paused = try await fixture.admin(.post, "/v1/accounts/shop/pause", #"{"reason":"x"}"#)
        #expect(paused.json["paused"]?.string == "x")
        let resumed = try await fixture.admin(.post, "/v1/accounts/shop/resume")
        #expect(resumed.json["paused"] == JSONValue.null)
        #expect(try await fixture.admin(.delete, "/v1/accounts/shop").status == 200)
        #expect(try await fixture.admin(.get, "/v1/accounts/shop").status == 404)
    }

    @Test("limits the rate of WeChat accounts unless told otherwise, of webhook accounts if told")
    func rates() async throws {
        let fixture = try await ServerFixture()
        for (kind, usual) in [("wechat", 50), ("webhook", nil)] as [(String, Int64?)] {
            let body = #"{"key":"\#(kind)","kind":"\#(kind)"}"#
            let made = try await fixture.admin(.post, "/v1/accounts", body)
            #expect(made.json["rate"]?.integer == usual)
            let path = "/v1/accounts/\(kind)"
            let set = try await fixture.admin(.patch, path, #"{"rate":7}"#)
            #expect(set.json["rate"]?.integer == 7)
            let back = try await fixture.admin(.patch, path, #"{"rate":null}"#)
            #expect(back.status == 200 && back.json["rate"]?.integer == usual)
            let bad = try await fixture.admin(.patch, path, #"{"rate":0}"#)
            #expect(bad.pointers == ["/rate"])
        }
        #expect(try await fixture.dependencies.records.accounts.find("webhook")?.rate == nil)
    }

    @Test(
        "refuses a webhook address that could never be called, when it is given",
        arguments: [
            "ftp://example.com/", "example.com", "https://user:secret@example.com/",
            "http://127.0.0.1/", "http://[::1]:9/", "http://2130706433/", "http://localhost/",
            "http://169.254.169.254/latest",
            "https://example.com/" + String(repeating: "x", count: 2048),
        ]
    )
    func webhookAddress(url: String) async throws {
        var fixture = try await ServerFixture()
        let create = #"{"key":"hook","kind":"webhook","webhook_url":"\#(url)"}"#
        let refused = try await fixture.admin(.post, "/v1/accounts", create)
        #expect(refused.status == 422 && refused.pointers == ["/webhook_url"])
        #expect(!refused.text.contains("user:secret"))
        let good = #"{"key":"hook","kind":"webhook","webhook_url":"https://example.com/hook"}"#
        #expect(try await fixture.admin(.post, "/v1/accounts", good).status == 201)
        let path = "/v1/accounts/hook"
        let changed = try await fixture.admin(.patch, path, #"{"webhook_url":"\#(url)"}"#)
        #expect(changed.status == 422 && changed.pointers == ["/webhook_url"])
        fixture.dependencies.configuration.webhook.allow = ["127.0.0.0/8"]
        let allowed = try await fixture.admin(
            .patch,
            path,
            #"{"webhook_url":"http://127.0.0.1:8080/"}"#
        )
        #expect(allowed.status == 200)
        let secret = try await fixture.admin(.patch, path, #"{"webhook_secret":"short"}"#)
        #expect(secret.pointers == ["/webhook_secret"])
    }

    @Test("makes keys that work at once, and revokes them at once")
    func keys() async throws {
        let fixture = try await ServerFixture()
        let made = try await fixture.admin(
            .post,
            "/v1/keys",
            #"{"name":"robot","scopes":["read","push"]}"#
        )
        #expect(made.status == 201)
        let key = try #require(APIKey(made.json["key"]?.string ?? ""))
        let id = try #require(made.json["id"]?.string)
        #expect(try await fixture.send(.get, "/v1/stats", key: key).status == 200)
        #expect(try await fixture.send(.get, "/v1/keys", key: key).status == 403)
        let list = try await fixture.admin(.get, "/v1/keys")
        #expect(!list.text.contains(key.text))
        #expect(try await fixture.admin(.delete, "/v1/keys/\(id)").status == 200)
        #expect(try await fixture.send(.get, "/v1/stats", key: key).status == 401)
        let bad = try await fixture.admin(
            .post,
            "/v1/keys",
            #"{"name":"x","scopes":["root"],"expires":1}"#
        )
        #expect(bad.pointers == ["/scopes/0", "/expires"])
    }

    @Test("retries dead letters after a dry run, leaves expired ones, and never all by accident")
    func deadLetters() async throws {
        let fixture = try await ServerFixture()
        let records = fixture.dependencies.records
        let now = fixture.clock.now()
        let cause = SendCause(code: "45009", message: "quota", remedy: "wait")
        let letters = (0..<3).map { index in
            DeadLetterRecord(
                push: Push(
                    id: PushID("p\(index)"),
                    recipient: Recipient(account: "shop", person: "o"),
                    due: now - .hours(1),
                    expires: index == 2 ? now - .seconds(1) : nil,
                    channel: "log",
                    payload: [49]
                ),
                sequence: 1,
                attempts: 8,
                at: now,
                cause: cause
            )
        }
        try await records.deadLetters.add(letters)
        let groups = try await fixture.admin(.get, "/v1/dead-letters:groups")
        #expect(groups.json["groups"]?.array?.first?["count"]?.integer == 3)
        #expect(groups.json["groups"]?.array?.first?["reason"]?["remedy"]?.string == "wait")
        let all = try await fixture.admin(.post, "/v1/dead-letters:retry", "{}")
        #expect(all.status == 422)
        let dry = try await fixture.admin(
            .post,
            "/v1/dead-letters:retry",
            #"{"code":"45009","dry_run":true}"#
        )
        #expect(dry.json["retried"]?.integer == 2 && dry.json["expired"]?.integer == 1)
        #expect(fixture.timeline.pushes.isEmpty)
        let real = try await fixture.admin(
            .post,
            "/v1/dead-letters:retry",
            #"{"code":"45009"}"#
        )
        #expect(real.json["retried"]?.integer == 2)
        #expect(fixture.timeline.pushes.count == 2)
        #expect(fixture.timeline.pushes["p0"]?.due == now)
        let rest = try await fixture.admin(.get, "/v1/dead-letters")
        #expect(rest.json["items"]?.array?.count == 1)
        let id = try #require(rest.json["items"]?.array?.first?["id"]?.string)
        let one = try await fixture.admin(.get, "/v1/dead-letters/\(id)")
        #expect(one.json["push"]?["id"]?.string == "p2")
        let discarded = try await fixture.admin(
            .post,
            "/v1/dead-letters:discard",
            #"{"ids":["\#(id)"]}"#
        )
        #expect(discarded.json["discarded"]?.integer == 1)
    }

    @Test("opens dead letters again when the timeline does not take them")
    func deadLettersFull() async throws {
        let fixture = try await ServerFixture()
        let now = fixture.clock.now()
        try await fixture.dependencies.records.deadLetters.add([
            DeadLetterRecord(
                push: Push(
                    id: "p",
                    recipient: Recipient(account: "shop", person: "o"),
                    due: now,
                    channel: "log",
                    payload: [49]
                ),
                sequence: 1,
                attempts: 1,
                at: now,
                cause: SendCause(code: "x", message: "")
            )
        ])
        fixture.timeline.fail(with: TimelineError(.full, "the disk is full"))
        let answer = try await fixture.admin(
            .post,
            "/v1/dead-letters:retry",
            #"{"account":"shop"}"#
        )
        #expect(answer.status == 507)
        #expect(try await fixture.dependencies.records.deadLetters.count() == 1)
    }

    @Test(
        "shows a person's history with reasons, permissions and what is planned; erases all of it"
    )
    func people() async throws {
        let fixture = try await ServerFixture()
        let records = fixture.dependencies.records
        let now = fixture.clock.now()
        let recipient = Recipient(account: "shop", person: "o/1")
        try await records.accounts.save(AccountRecord(key: "shop", kind: .wechat))
        try await records.people.update(recipient) { person in
            person.grants = [
                Grant(
                    source: "message",
                    granted: now,
                    expires: now + .hours(48),
                    quota: 5,
                    used: 2,
                    rule: "wechat-2023"
                )
            ]
        }
        try await records.flows.publish(
            account: "shop",
            flow: "welcome",
            yaml: "key: welcome",
            by: "me"
        )
        try await fixture.dependencies.timeline.schedule([
            Push(
                id: "flow/shop/welcome/o/1",
                recipient: recipient,
                due: now + .hours(1),
                channel: "wechat",
                payload: Array("{}".utf8)
            )
        ])
        _ = try await records.deliveries.append([
            DeliveryRecord(
                push: "p1",
                sequence: 9_007_199_254_740_993,
                attempt: 0,
                recipient: recipient,
                flow: "welcome",
                step: "hello",
                channel: "wechat",
                due: now,
                at: now,
                state: .ended(.noGrant),
                cause: SendCause(code: "no_grant", message: "no permission", remedy: "wait")
            )
        ])
        let path = "/v1/accounts/shop/people/o%2F1"
        let person = try await fixture.admin(.get, path)
        #expect(person.json["permissions"]?["may_send"]?.bool == true)
        let grant = person.json["permissions"]?["grants"]?.array?.first
        #expect(grant?["left"]?.integer == 3)
        let timeline = try await fixture.admin(.get, path + "/timeline")
        #expect(timeline.json["planned"]?.array?.count == 1)
        let line = timeline.json["items"]?.array?.first
        #expect(line?["reason"]?["message"]?.string == "no permission")
        #expect(line?["sequence"]?.string == "9007199254740993")
        let tagged = try await fixture.admin(.put, path + "/tags", #"{"tags":["b","a","b"]}"#)
        #expect(tagged.json["tags"] == ["a", "b"])
        let erased = try await fixture.admin(.delete, path)
        #expect(erased.json["cancelled"]?.integer == 1)
        #expect(try await fixture.admin(.get, path).status == 404)
        #expect(fixture.timeline.pushes.isEmpty)
    }

    @Test("a consent allows notifications, not messages, and does not end by time")
    func consents() async throws {
        let fixture = try await ServerFixture()
        let now = fixture.clock.now()
        try await fixture.dependencies.records.people.update(
            Recipient(account: "shop", person: "o1")
        ) { person in
            person.grants = [
                Grant(
                    source: "consent:T1",
                    granted: now,
                    expires: .distantFuture,
                    quota: 2,
                    used: 1,
                    rule: "wechat-2023"
                )
            ]
        }
        let person = try await fixture.admin(.get, "/v1/accounts/shop/people/o1")
        let permissions = try #require(person.json["permissions"])
        #expect(permissions["may_send"]?.bool == false)
        #expect(permissions["until"] == .null)
        let grant = try #require(permissions["grants"]?.array?.first)
        #expect(grant["open"]?.bool == true && grant["left"]?.integer == 1)
        #expect(grant["expires"] == .null)
        let page = try await fixture.admin(.get, "/console/people/shop/o1")
        #expect(page.text.contains("consent:T1") && !page.text.contains("9999-12-31"))
    }

    @Test("pages through deliveries with opaque cursors, and refuses forged ones")
    func paging() async throws {
        let fixture = try await ServerFixture()
        let now = fixture.clock.now()
        let lines = (0..<5).map { index in
            DeliveryRecord(
                push: PushID("p\(index)"),
                sequence: 1,
                attempt: 0,
                recipient: Recipient(account: "shop", person: "o"),
                flow: nil,
                step: nil,
                channel: "log",
                due: now,
                at: now + .seconds(Int64(index)),
                state: .ended(.sent),
                cause: SendCause(code: "", message: "")
            )
        }
        _ = try await fixture.dependencies.records.deliveries.append(lines)
        var seen: [String] = []
        var uri = "/v1/deliveries?limit=2"
        for _ in 0..<3 {
            let page = try await fixture.admin(.get, uri)
            seen += page.json["items"]?.array?.compactMap { $0["push"]?.string } ?? []
            guard let cursor = page.json["next_cursor"]?.string else { break }
            uri = "/v1/deliveries?limit=2&cursor=\(cursor)"
        }
        #expect(seen == ["p4", "p3", "p2", "p1", "p0"])
        #expect(try await fixture.admin(.get, "/v1/deliveries?cursor=forged").status == 422)
        #expect(try await fixture.admin(.get, "/v1/deliveries?limit=0").pointers == ["?limit"])
        #expect(try await fixture.admin(.get, "/v1/deliveries?state=odd").pointers == ["?state"])
        #expect(try await fixture.admin(.get, "/v1/deliveries?since=odd").pointers == ["?since"])
    }

    @Test("tells what is due ahead, and refuses charts without end")
    func forecast() async throws {
        let fixture = try await ServerFixture()
        let answer = try await fixture.admin(.get, "/v1/forecast?bucket=1h")
        #expect(answer.json["counts"]?.array?.count == 48)
        #expect(try await fixture.admin(.get, "/v1/forecast?bucket=0s").pointers == ["?bucket"])
        #expect(try await fixture.admin(.get, "/v1/forecast?bucket=1s").pointers == ["?bucket"])
        let back = "/v1/forecast?from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z"
        #expect(try await fixture.admin(.get, back).pointers == ["?to"])
    }

    @Test("is healthy while it answers, and ready only while the timeline is")
    func readiness() async throws {
        let fixture = try await ServerFixture()
        #expect(try await fixture.send(.get, "/healthz").status == 200)
        #expect(try await fixture.send(.get, "/readyz").status == 200)
        fixture.timeline.fail(with: TimelineError(.io, "/data/secret-path: broken"))
        let answer = try await fixture.send(.get, "/readyz")
        #expect(answer.status == 503)
        #expect(!answer.text.contains("secret-path"))
        #expect(try await fixture.send(.get, "/healthz").status == 200)
    }

    @Test("hands events and callbacks on, and follows tracked links")
    func inbound() async throws {
        let fixture = try await ServerFixture()
        let event = try await fixture.admin(
            .post,
            "/v1/events",
            #"{"account":"shop","to":"o","flow":"welcome","variables":{"a":"b"}}"#
        )
        #expect(event.status == 202)
        #expect(event.json["pushes"] == ["flow/welcome"])
        let nothing = try await fixture.admin(.post, "/v1/events", #"{"account":"shop","to":"o"}"#)
        #expect(nothing.pointers == ["/event"])
        let callback = try await fixture.send(.post, "/wechat/shop/callback?signature=x", "<xml/>")
        #expect(callback.text == "shop")
        try await fixture.dependencies.records.links.create([
            LinkRecord(
                code: "abc",
                url: "https://example.com/x?y=1",
                recipient: Recipient(account: "shop", person: "o"),
                push: "p",
                created: fixture.clock.now()
            )
        ])
        let link = try await fixture.send(.get, "/l/abc")
        #expect(link.status == 302 && link.headers[.location] == "https://example.com/x?y=1")
        #expect(try await fixture.send(.get, "/l/none").status == 404)
    }

    @Test("ids of flows and topics are not for others, one by one or by thousands")
    func reservedIDs() async throws {
        let fixture = try await ServerFixture()
        for id in ["flow/shop/welcome/o", "reminder/coupon/o", "flow\\/x"] {
            let push =
                #"{"id":"\#(id)","account":"shop","to":"o","channel":"log","delay":"1m","payload":"x"}"#
            let one = try await fixture.admin(.post, "/v1/pushes", push)
            #expect(one.status == 422 && one.pointers == ["/id"], "\(one.text)")
            let many = try await fixture.admin(
                .post,
                "/v1/pushes:bulk",
                push,
                headers: [.contentType: "application/x-ndjson"]
            )
            #expect(many.status == 207 && many.text.contains("Belfry's own"), "\(many.text)")
        }
        #expect(fixture.timeline.pushes.isEmpty)
    }

    @Test("U+0000 in an address or a reason comes to no database")
    func nul() async throws {
        let fixture = try await ServerFixture()
        let asked = try await fixture.admin(.get, "/v1/deliveries?account=a%00b")
        #expect(asked.status == 422 && asked.pointers.isEmpty && asked.text.contains("U+0000"))
        let paused = try await fixture.admin(
            .post,
            "/v1/accounts/shop/pause",
            #"{"reason":"a\u0000b"}"#
        )
        #expect(paused.status == 422 && paused.pointers == ["/reason"], "\(paused.text)")
    }
}
