/// 128 bits that stand for an id inside the engine: SipHash-1-3 with a secret key for each folder, so that nobody who chooses ids
/// can make two of them meet.
///
/// Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012; the 128-bit output as in the reference code.
struct PushHash: Sendable, Hashable, BitwiseCopyable {
    var low: UInt64
    var high: UInt64

    /// What the index sorts by; the other 96 bits are compared in the slot.
    @inline(__always)
    var fingerprint: UInt32 { UInt32(truncatingIfNeeded: low >> 32) }
    @inline(__always)
    var lowest: UInt32 { UInt32(truncatingIfNeeded: low) }
}

struct HashKey: Sendable, Hashable, BitwiseCopyable {
    var first: UInt64
    var second: UInt64

    static func random() -> HashKey {
        var random = SystemRandomNumberGenerator()
        return HashKey(first: random.next(), second: random.next())
    }

    @inline(__always)
    func hash(_ bytes: UnsafeRawBufferPointer) -> PushHash {
        var state = SipState(self)
        let whole = bytes.count & ~7
        var offset = 0
        while offset < whole {
            state.take(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var last = UInt64(truncatingIfNeeded: bytes.count) << 56
        if bytes.count >= 8 {
            // The bytes after the last whole word, read with the word that ends the buffer.
            let rest = bytes.count - whole
            if rest > 0 {
                let tail = bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
                last |= tail >> UInt64(64 - 8 * rest)
            }
        } else {
            for index in 0..<bytes.count { last |= UInt64(bytes[index]) << UInt64(8 * index) }
        }
        state.take(last)
        return state.finish()
    }
}

private struct SipState {
    var a: UInt64
    var b: UInt64
    var c: UInt64
    var d: UInt64

    @inline(__always)
    init(_ key: HashKey) {
        a = key.first ^ 0x736f_6d65_7073_6575
        b = key.second ^ 0x646f_7261_6e64_6f6d ^ 0xee
        c = key.first ^ 0x6c79_6765_6e65_7261
        d = key.second ^ 0x7465_6462_7974_6573
    }

    @inline(__always)
    mutating func take(_ word: UInt64) {
        d ^= word
        round()
        a ^= word
    }

    @inline(__always)
    mutating func finish() -> PushHash {
        c ^= 0xee
        round()
        round()
        round()
        let low = a ^ b ^ c ^ d
        b ^= 0xdd
        round()
        round()
        round()
        return PushHash(low: low, high: a ^ b ^ c ^ d)
    }

    @inline(__always)
    private mutating func round() {
        a &+= b
        b = rotated(b, 13) ^ a
        a = rotated(a, 32)
        c &+= d
        d = rotated(d, 16) ^ c
        a &+= d
        d = rotated(d, 21) ^ a
        c &+= b
        b = rotated(b, 17) ^ c
        c = rotated(c, 32)
    }

    @inline(__always)
    private func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 {
        word << bits | word >> (64 - bits)
    }
}
