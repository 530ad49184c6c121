import BelfryCore
import Testing

@Suite("Durations as text")
struct DurationTextTests {
    @Test("they read as people write them, and write back as read")
    func people() {
        for (text, span) in [
            ("5s", Duration.seconds(5)), ("2h30m", .minutes(150)), ("3d", .days(3)),
            ("1w2d", .days(9)), ("250ms", .milliseconds(250)), ("0s", .zero),
            ("1.5h", .minutes(90)), ("1m0.25s", .milliseconds(60_250)),
        ] {
            #expect(DurationText.parse(text) == span)
            #expect(DurationText.parse(DurationText.text(span)) == span)
            #expect(DurationText.parse(DurationText.inOneUnit(span)) == span)
        }
    }

    @Test("ISO-8601 reads too, where its length is fixed")
    func iso8601() {
        for (text, span) in [
            ("PT1M30S", Duration.seconds(90)), ("P2D", .days(2)), ("P1DT12H", .minutes(36 * 60)),
            ("P1W", .days(7)), ("PT0.5S", .milliseconds(500)),
        ] {
            #expect(DurationText.parse(text) == span)
        }
        for text in ["P", "PT", "P1M", "P1Y", "P1DT", "PT1S1M", "pt1s", "P-1D"] {
            #expect(DurationText.parse(text) == nil, "\(text)")
        }
    }

    @Test(
        "what is no duration, or longer than 1,000 years, is refused",
        arguments: [
            "", "5", "s", "5 s", "5m5h", "5s5s", "-5s", "1.5h5m", "1.h", "1.2345s", "٣d", "5S",
            "400000d", "9223372036854775807d", "99999999999999w",
            "90", "1s1s", "1.s", "1.5h1s", "PT1H ", String(repeating: "1", count: 65),
        ]
    )
    func refused(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test("every span of whole milliseconds survives being written")
    func roundTrip() {
        var random = SplitMix64(seed: 1)
        for _ in 0..<2000 {
            let span = Duration.milliseconds(Int64.random(in: 0...20_000_000_000, using: &random))
            #expect(DurationText.parse(DurationText.text(span)) == span)
            #expect(DurationText.parse(DurationText.inOneUnit(span)) == span)
        }
    }

    @Test("windows are told in hours, settings in the largest unit that is exact")
    func written() {
        #expect(DurationText.text(.minutes(48 * 60)) == "48h")
        #expect(DurationText.text(.days(4)) == "4d")
        #expect(DurationText.inOneUnit(.seconds(90)) == "90s")
        #expect(DurationText.inOneUnit(.days(14)) == "14d")
        #expect(DurationText.inOneUnit(.milliseconds(1500)) == "1500ms")
    }
}
