/// The simulator's own small generator: a run with the same seed makes the same ids and the same faults.
///
/// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016). Not for secrets.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        // The state must not be zero.
        state = (seed &+ 1) &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// True with the given probability.
    mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && Double.random(in: 0..<1, using: &self) < probability
    }

    /// `count` characters of `A-Z a-z 0-9 _ -`, as WeChat's openids, tokens and media ids use them.
    mutating func word(_ count: Int) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var bits: UInt64 = 0
        for position in 0..<count {
            if position % 10 == 0 { bits = next() }
            bytes.append(Self.alphabet[Int(bits & 63)])
            bits >>= 6
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `count` lower-case hexadecimal digits.
    mutating func hex(_ count: Int) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var bits: UInt64 = 0
        for position in 0..<count {
            if position % 16 == 0 { bits = next() }
            bytes.append(Self.digits[Int(bits & 15)])
            bits >>= 4
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `count` decimal digits, the first of which is not 0.
    mutating func number(_ count: Int) -> String {
        var text = ""
        for position in 0..<count {
            text.append(String(UInt64.random(in: (position == 0 ? 1 : 0)...9, using: &self)))
        }
        return text
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-".utf8
    )
    private static let digits = Array("0123456789abcdef".utf8)
}
