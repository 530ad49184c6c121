import BelfryCore
import BelfryRecords
import BelfrySimulation
import Foundation
import Testing

@Suite("Accounts", .eachDatabase)
struct AccountTests {
    private var account: AccountRecord {
        var account = AccountRecord(key: "shop", kind: .wechat)
        account.name = "小店"
        account.appID = "wx0123456789abcdef"
        account.secret = Secret("app-secret-0123456789")
        account.token = Secret("callback-token-42")
        account.encodingAESKey = Secret("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
        account.previousEncodingAESKey = Secret("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg")
        account.webhookSecret = Secret("whsec_c2VjcmV0LXNlY3JldA")
        account.mode = .compat
        account.originalID = "gh_0123"
        account.rules = .table(#"{"follow":{"for":"1m","count":3}}"#)
        account.combine = .separate
        account.baseURL = "http://127.0.0.1:9000"
        account.publicURL = "https://belfry.example"
        account.rate = 7
        account.concurrency = 3
        account.dailyQuota = 100_000
        account.unknownPolicy = .retryOnce
        account.quietHours = #"{"from":"22:00","to":"08:00"}"#
        return account
    }

    @Test("an account comes back as it was saved, secrets opened, also after reopening")
    func roundTrip() async throws {
        let fixture = try await Fixture()
        let saved = try await fixture.records.accounts.save(account)
        await fixture.records.close()
        let again = try await fixture.reopen()
        let found = try await again.accounts.find("shop")
        #expect(found == saved)
        #expect(found?.secret?.reveal() == "app-secret-0123456789")
        #expect(try await again.accounts.all() == [saved])
        await again.close()
    }

    @Test("saving again replaces all but the time it was made")
    func replace() async throws {
        let fixture = try await Fixture()
        let first = try await fixture.records.accounts.save(account)
        fixture.clock.advance(by: .seconds(5))
        var changed = AccountRecord(key: "shop", kind: .webhook)
        changed.webhookURL = "https://example.com/hook"
        let second = try await fixture.records.accounts.save(changed)
        #expect(second.created == first.created && second.updated == first.updated + .seconds(5))
        let found = try await fixture.records.accounts.find("shop")
        #expect(found == second)
        #expect(found?.secret == nil && found?.rules == .preset("unlimited"))
    }

    @Test("pausing keeps the reason until it is resumed")
    func pause() async throws {
        let fixture = try await Fixture()
        try await fixture.records.accounts.save(account)
        #expect(try await fixture.records.accounts.pause("shop", reason: "40164: IP not allowed"))
        #expect(
            try await fixture.records.accounts.find("shop")?.paused == "40164: IP not allowed"
        )
        #expect(try await fixture.records.accounts.pause("shop", reason: nil))
        #expect(try await fixture.records.accounts.find("shop")?.paused == nil)
        #expect(try await fixture.records.accounts.pause("nobody", reason: nil) == false)
        #expect(try await fixture.records.accounts.remove("shop"))
        #expect(try await fixture.records.accounts.find("shop") == nil)
    }

    @Test("no secret lies readable in any file of the database, and none shows when printed")
    func encrypted() async throws {
        let fixture = try await Fixture()
        let saved = try await fixture.records.accounts.save(account)
        await fixture.records.close()
        let secrets = [
            saved.secret, saved.token, saved.encodingAESKey, saved.previousEncodingAESKey,
            saved.webhookSecret,
        ].compactMap { $0?.reveal() }
        #expect(secrets.count == 5)
        let bytes = try await fixture.stored()
        // The name beside them is there, so the search does look at the account's row.
        #expect(bytes.range(of: Data("wx0123456789abcdef".utf8)) != nil)
        var dumped = ""
        dump(saved, to: &dumped)
        for secret in secrets {
            #expect(bytes.range(of: Data(secret.utf8)) == nil)
            #expect(!dumped.contains(secret) && !"\(saved)".contains(secret))
        }
    }

    @Test("another secret key than the file was made with is refused when opening")
    func wrongKey() async throws {
        let fixture = try await Fixture()
        try await fixture.records.accounts.save(account)
        await fixture.records.close()
        let wrong = await failure {
            _ = try await fixture.reopen(secretKey: Array(repeating: 9, count: 32))
        }
        #expect(wrong?.code == .invalid)
        let short = await failure {
            _ = try await fixture.reopen(secretKey: [1, 2, 3])
        }
        #expect(short?.message == "secretKey: is 3 bytes; 32 are needed")
    }

    @Test("a sealed secret copied to another account's row does not open")
    func movedSecret() async throws {
        let fixture = try await Fixture()
        try await fixture.records.accounts.save(account)
        var other = account
        other.key = "other"
        try await fixture.records.accounts.save(other)
        await fixture.records.close()
        let database = try fixture.database()
        try await database.write { session throws(RecordsError) in
            let row = try session.rows("SELECT secret FROM accounts WHERE account = 'shop'", [])
            try session.run(
                "UPDATE accounts SET secret = ? WHERE account = 'other'",
                [row[0].values[0]]
            )
        }
        await database.close()
        let again = try await fixture.reopen()
        #expect(try await again.accounts.find("shop") != nil)
        let error = await failure { _ = try await again.accounts.find("other") }
        #expect(error?.code == .invalid)
        #expect(error?.message.hasPrefix("accounts/other/secret") == true)
        await again.close()
    }

    @Test("what an account may not be is refused, naming the field")
    func limits() async throws {
        let fixture = try await Fixture()
        let changes: [(String, (inout AccountRecord) -> Void)] = [
            ("key", { $0.key = "" }), ("key", { $0.key = "a/b" }),
            ("key", { $0.key = String(repeating: "k", count: 10_000) }),
            ("name", { $0.name = String(repeating: "n", count: 129) }),
            ("rate", { $0.rate = 0 }), ("concurrency", { $0.concurrency = -1 }),
            ("daily_quota", { $0.dailyQuota = -1 }),
            ("base_url", { $0.baseURL = String(repeating: "u", count: 3000) }),
            ("token", { $0.token = Secret(String(repeating: "t", count: 2000)) }),
            ("quiet_hours", { $0.quietHours = String(repeating: " ", count: 70_000) }),
            ("time_zone", { $0.timeZone = "" }),
        ]
        for (field, change) in changes {
            var account = account
            change(&account)
            let wrong = account
            let error = await failure { try await fixture.records.accounts.save(wrong) }
            #expect(error?.code == .invalid)
            #expect(error?.message.hasPrefix(field + ":") == true, "\(field): \(error as Any)")
        }
        #expect(try await fixture.records.accounts.all().isEmpty)
    }
}

@Suite("An account's key")
struct AccountKeyTests {
    @Test(
        "is never a way out of the folder that it names",
        arguments: [".", "..", ".hidden", "a/b", ""]
    )
    func dots(key: String) {
        #expect(throws: RecordsError.self) { try AccountRecord(key: key, kind: .wechat).validate() }
    }
}
