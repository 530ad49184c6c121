/// What this program is.
package enum Belfry {
    package static let version = "0.1.0"
}

extension SystemRandomNumberGenerator {
    /// A seed for what need only be different each time, like jitter.
    package static func seed() -> UInt64 {
        var random = SystemRandomNumberGenerator()
        return random.next()
    }
}
