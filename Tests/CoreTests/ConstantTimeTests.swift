import BelfryCore
import Testing

@Suite("Comparing secrets")
struct ConstantTimeTests {
    @Test("only the same bytes are equal: no prefix, no other byte anywhere, nothing for something")
    func equality() {
        let secret: [UInt8] = [0, 1, 2, 255]
        #expect(ConstantTime.equal(secret, [0, 1, 2, 255]))
        #expect(!ConstantTime.equal(secret, [0, 1, 2]))
        #expect(!ConstantTime.equal(secret, []))
        for index in secret.indices {
            var other = secret
            other[index] ^= 1
            #expect(!ConstantTime.equal(secret, other))
        }
    }

    @Test("bytes are written as lower-case hexadecimal digits")
    func hexadecimal() {
        #expect(Hex.text([0x00, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(Hex.text([]).isEmpty)
    }
}
