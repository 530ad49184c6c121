import BelfryCore
import BelfryRecords
import BelfrySimulation
import Testing

@Suite("Settings, audit and media", .eachDatabase)
struct SettingTests {
    @Test("settings keep their history; a change from an old version is a conflict")
    func settings() async throws {
        let fixture = try await Fixture()
        let settings = fixture.records.settings
        try await settings.set("rate", to: "1", by: "li", expected: 0)
        try await settings.set("rate", to: "2", by: "wu", expected: 1)
        try await settings.set("other", to: "{}", by: "wu")
        let stale = await failure {
            try await settings.set("rate", to: "3", by: "li", expected: 1)
        }
        #expect(stale == RecordsError(.conflict, "rate: is at version 2, not 1"))
        #expect(try await settings.find("rate")?.value == "2")
        #expect(try await settings.find("none") == nil)
        #expect(try await settings.history("rate").map(\.value) == ["2", "1"])
        #expect(try await settings.all().map(\.name) == ["other", "rate"])
        #expect(try await settings.all().map(\.version) == [1, 2])
    }

    @Test("two who change a setting from the same version: one succeeds")
    func race() async throws {
        let fixture = try await Fixture()
        let won = await withTaskGroup(of: Bool.self) { group in
            for n in 0..<10 {
                group.addTask {
                    await failure {
                        try await fixture.records.settings.set(
                            "s",
                            to: "\(n)",
                            by: "x",
                            expected: 0
                        )
                    } == nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(won == 1)
        #expect(try await fixture.records.settings.history("s").count == 1)
    }

    @Test("records have one name, whoever asks first")
    func identity() async throws {
        let fixture = try await Fixture()
        let names = try await withThrowingTaskGroup(of: String.self) { group in
            for n in 0..<10 {
                group.addTask { try await fixture.records.identity(new: "name \(n)") }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(names.count == 1)
        #expect(try await fixture.records.identity(new: "another") == names.first)
    }

    @Test("the audit lists newest first, by subject, in pages")
    func audit() async throws {
        let fixture = try await Fixture()
        let now = fixture.clock.now()
        for n in 0..<9 {
            try await fixture.records.audit.append(
                AuditRecord(
                    at: now,
                    who: "key/k1",
                    action: "flow.publish",
                    subject: n % 2 == 0 ? "flow/a" : "flow/b",
                    before: n == 0 ? nil : "{\"n\":\(n - 1)}",
                    after: "{\"n\":\(n)}"
                )
            )
        }
        var seen: [String?] = []
        var cursor: String?
        repeat {
            let page = try await fixture.records.audit.list(
                subject: "flow/a",
                limit: 2,
                cursor: cursor
            )
            seen += page.items.map(\.after)
            cursor = page.next
        } while cursor != nil
        #expect(seen == [8, 6, 4, 2, 0].map { "{\"n\":\($0)}" })
        #expect(try await fixture.records.audit.list().items.count == 9)
        let error = await failure {
            try await fixture.records.audit.append(
                AuditRecord(at: now, who: "", action: "a", subject: "s")
            )
        }
        #expect(error?.message.hasPrefix("who: ") == true)
    }

    @Test("an uploaded file is found by its content, and the newest upload counts")
    func media() async throws {
        let fixture = try await Fixture()
        let hash = [UInt8](repeating: 3, count: 32)
        let now = fixture.clock.now()
        var media = MediaRecord(
            appID: "wx1",
            hash: hash,
            kind: "image",
            mediaID: "m1",
            created: now
        )
        try await fixture.records.media.save(media)
        media.mediaID = "m2"
        media.created = now + .days(3)
        try await fixture.records.media.save(media)
        let found = try await fixture.records.media.find(appID: "wx1", hash: hash, kind: "image")
        #expect(found == media)
        #expect(
            try await fixture.records.media.find(appID: "wx2", hash: hash, kind: "image") == nil
        )
        try await fixture.records.media.forget(appID: "wx1", hash: hash, kind: "image")
        #expect(
            try await fixture.records.media.find(appID: "wx1", hash: hash, kind: "image") == nil
        )
        media.hash = [1]
        let wrong = media
        let error = await failure { try await fixture.records.media.save(wrong) }
        #expect(error?.code == .invalid)
    }
}
