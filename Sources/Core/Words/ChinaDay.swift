/// A day as WeChat counts it: China Standard Time, eight hours ahead of UTC all year.
package struct ChinaDay: Sendable, Hashable {
    package let number: Int

    private static let offset: Int64 = 8 * 3_600_000
    private static let length: Int64 = 86_400_000

    package init(of time: Timestamp) {
        number = Int((time.milliseconds + Self.offset) / Self.length)
    }

    package var begins: Timestamp {
        Timestamp(milliseconds: Int64(number) * Self.length - Self.offset)
    }

    package var ends: Timestamp { begins + .days(1) }
}
