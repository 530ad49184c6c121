import BelfryCore

/// Counts tokens that come at a steady rate, up to a burst.
struct TokenBucket {
    private(set) var perMillisecond: Double
    private(set) var burst: Double
    private var tokens: Double
    private var updated: Timestamp

    /// Starts full.
    init(_ rate: AccountLimit.Rate, now: Timestamp) {
        perMillisecond = Self.pace(rate)
        burst = Double(max(1, rate.burst))
        tokens = burst
        updated = now
    }

    /// Takes on another rate; tokens that were earned at the old one stay, up to the new burst.
    mutating func set(_ rate: AccountLimit.Rate, now: Timestamp) {
        refill(now)
        perMillisecond = Self.pace(rate)
        burst = Double(max(1, rate.burst))
        tokens = min(tokens, burst)
    }

    mutating func available(_ now: Timestamp) -> Int {
        refill(now)
        // A sum of fractions may fall short of the whole number it stands for.
        return Int(tokens + 1e-6)
    }

    mutating func take(_ count: Int) { tokens -= Double(count) }

    /// When so many tokens will be there, at most the burst.
    func time(for count: Int) -> Timestamp {
        let missing = min(Double(count), burst) - tokens
        guard missing > 0 else { return updated }
        return updated + .milliseconds(Int64(min(missing / perMillisecond, 1e15).rounded(.up)))
    }

    private mutating func refill(_ now: Timestamp) {
        // Set back, the clock earns nothing; set forward, at most a burst.
        if now > updated {
            tokens = min(burst, tokens + Double((now - updated).milliseconds) * perMillisecond)
        }
        updated = now
    }

    private static func pace(_ rate: AccountLimit.Rate) -> Double {
        // Slower than one an hour is a pause; it keeps the arithmetic finite.
        max(rate.perSecond, 1.0 / 3600) / 1000
    }
}
