import BelfryCore
import Testing

@testable import BelfryServer

@Suite("Times as text")
struct TimeTextTests {
    static let times: [(String, Int64?)] = [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-21T03:50:04.123Z", 1_795_233_004_123),
        ("2026-11-21T11:50:04+08:00", 1_795_233_004_000), ("2000-02-29T00:00:00Z", 951_782_400_000),
        ("1969-12-31T23:59:59Z", -1000), ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2026-11-21T03:50:04.1234567Z", 1_795_233_004_123), ("2026-11-21", nil),
        ("2026-02-29T00:00:00Z", nil), ("2026-13-01T00:00:00Z", nil), ("2026-11-21T24:00:00Z", nil),
        ("2026-11-21T03:50:04", nil), ("2026-11-21T03:50:04.Z", nil), ("soon", nil),
        ("2026-11-21T03:50:04+8:00", nil), ("2026-11-21T03:50:04Zx", nil),
    ]

    @Test("reads RFC 3339 and nothing else", arguments: times)
    func time(text: String, milliseconds: Int64?) {
        #expect(TimeText.parse(text)?.milliseconds == milliseconds)
    }

    @Test("writes times so that they are read back the same, from year 0 to 9999")
    func timeRoundTrip() {
        var generator = SplitMix64(seed: 5)
        for _ in 0..<2000 {
            let time = Timestamp(
                milliseconds: Int64.random(
                    in: -62_167_219_200_000...253_402_300_799_999,
                    using: &generator
                )
            )
            #expect(TimeText.parse(TimeText.render(time)) == time)
        }
    }
}
