import BelfryActivation
import BelfryCore
import Foundation
import Testing

@Suite("Local times")
struct LocalTimeTests {
    private let berlin = LocalZone("Europe/Berlin")

    @Test("the wall's reading is that of the calendar, in both directions")
    func reading() throws {
        let zone = LocalZone.shanghai
        #expect(zone.text(friday) == "2026-11-20 10:00:00")
        #expect(zone.parse("2026-11-20T10:00") == friday)
        #expect(zone.parse("2026-11-20 10:00:00") == friday)
        #expect(zone.parse("2026-11-20T02:00Z") == friday)
        #expect(zone.parse("2026-11-20T03:00+01:00") == friday)
        for text in [
            "", "2026-11-20", "2026-02-30T10:00", "2026-11-20T25:00", "2026-11-20T10:60",
            "2026-13-01T10:00", "20261120T100000", "2026-11-20T10:00+99:00",
            "2026-11-20T10:00:00 tomorrow", String(repeating: "2", count: 10_240),
        ] {
            #expect(zone.parse(text) == nil, "\(text)")
        }
    }

    @Test("days agree with Foundation's calendar, 200 years ahead too")
    func calendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        var random = SplitMix64(seed: 7)
        for _ in 0..<500 {
            let day = Int64.random(in: 0...(230 * 365), using: &random)
            let date = LocalDate(daysSince1970: day)
            let parts = calendar.dateComponents(
                [.year, .month, .day],
                from: Date(timeIntervalSince1970: Double(day) * 86_400)
            )
            #expect([date.year, date.month, date.day] == [parts.year, parts.month, parts.day])
            #expect(date.daysSince1970 == day)
        }
    }

    @Test("a time that the clocks skip is an hour later, one that they repeat is the first")
    func daylightSaving() throws {
        let zone = try #require(berlin)
        // 2026-03-29: 02:00 becomes 03:00. 2026-10-25: 03:00 becomes 02:00.
        let gap = try #require(zone.parse("2026-03-29T02:30"))
        #expect(zone.text(gap) == "2026-03-29 03:30:00")
        let twice = try #require(zone.parse("2026-10-25T02:30"))
        #expect(twice == LocalZone.utc.parse("2026-10-25T00:30"))
        let before = try #require(zone.parse("2026-03-28T09:30"))
        let after = try #require(zone.parse("2026-03-29T09:30"))
        #expect(after - before == .hours(23))
    }

    @Test("every moment of a year reads back as itself, except in the repeated hour")
    func roundTrip() throws {
        let zone = try #require(berlin)
        let start = try #require(zone.parse("2026-01-01T00:00"))
        for quarter in 0..<(365 * 96) {
            let time = start + Duration.minutes(Int64(quarter) * 15)
            let back = zone.time(zone.local(time))
            #expect(back == time || time - back == .hours(1), "\(zone.text(time))")
        }
    }

    @Test("a step at 09:30 is at 09:30 on the wall across a change of clocks")
    func localStep() throws {
        let flow = try published(
            """
            key: f
            trigger: follow
            time_zone: Europe/Berlin
            steps:
              - { id: a, at: "09:30", day: 1, text: x }
              - { id: b, at: "02:30", text: x }
            """
        )
        let zone = try #require(berlin)
        let entry = try #require(zone.parse("2026-03-28T20:00"))
        let plan = try planner.start(
            flow,
            person: FlowPerson(id: "o"),
            event: followed(entry),
            now: entry
        )
        #expect(zone.text(try #require(plan.push).due) == "2026-03-29 09:30:00")
        let next = planner.next(
            after: try #require(plan.position),
            outcome: .sent,
            versions: FlowVersions(flow),
            person: FlowPerson(id: "o"),
            now: try #require(plan.push).due
        )
        #expect(zone.text(try #require(next.push).due) == "2026-03-30 02:30:00")
    }

    @Test("a local time that has passed on its day is passed over, and the next step has its turn")
    func passed() throws {
        let flow = try published(
            """
            key: f
            trigger: follow
            steps:
              - { id: a, at: "09:30", day: 0, text: x }
              - { id: b, after: 1m, text: x }
            """
        )
        let plan = try planner.start(
            flow,
            person: FlowPerson(id: "o"),
            event: followed(),
            now: friday
        )
        #expect(plan.passed.map(\.step) == ["a"])
        #expect(plan.passed.first?.outcome == .expired)
        #expect(plan.position?.step == "b")
        #expect(plan.push?.due == friday + Duration.minutes(1))
    }

    @Test("quiet hours across midnight hold what is inside and nothing else")
    func quietPeriods() throws {
        let from = try #require(LocalTime("22:00"))
        let to = try #require(LocalTime("07:00"))
        let quiet = try #require(QuietHours(from: from, to: to))
        let zone = LocalZone.shanghai
        for (text, isQuiet) in [
            ("21:59", false), ("22:00", true), ("23:59", true), ("00:00", true), ("06:59", true),
            ("07:00", false), ("12:00", false),
        ] {
            let time = try #require(zone.parse("2026-11-20T\(text)"))
            #expect((quiet.period(at: time, in: zone) != nil) == isQuiet, "\(text)")
            #expect(quiet.contains(try #require(LocalTime(text))) == isQuiet)
        }
        #expect(QuietHours(from: from, to: from) == nil)
    }

    @Test("abbreviations, unknown zones and long names are no zones")
    func zones() {
        for name in ["CST", "Mars/Base", "", String(repeating: "x/", count: 5000)] {
            #expect(LocalZone(name) == nil)
        }
    }
}
