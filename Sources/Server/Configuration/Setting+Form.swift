import BelfryChannels

extension Setting {
    /// What a text has to be.
    struct Form: Sendable {
        let allowed: String
        let isMet: @Sendable (String) -> Bool

        func check(_ text: String) throws(SettingProblem) {
            guard isMet(text) else {
                throw SettingProblem(text: "'\(text)' cannot be used: must be \(allowed)")
            }
        }
    }
}

extension Setting.Form {
    /// The base of addresses: nothing may follow its path.
    static let webAddress = Setting.Form(
        allowed: "an address such as https://example.com, with http or https and a host",
        isMet: { text in
            // Why it is none does not matter: what is allowed is told.
            let isCalled = (try? WebAddress(text)) != nil
            return isCalled && !text.contains { "?#".contains($0) || $0.isWhitespace }
        }
    )

    /// What a webhook may be allowed to reach.
    static let reachable = Setting.Form(
        allowed: "a host name, an address, or a block of them such as 10.1.0.0/16 or fd00::/8",
        isMet: { text in AddressBlock(text) != nil || isHostName(text) }
    )

    /// A short string of AMQP, with room for an account's key in it.
    static let shortName = Setting.Form(
        allowed: "at most 127 bytes of printable ASCII without spaces",
        isMet: { $0.utf8.count <= 127 && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
    )

    /// Letters, digits, `-`, `_` and dots; not what looks like an address and is none.
    private static func isHostName(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, let last = labels.last, !last.allSatisfy(\.isNumber) else {
            return false
        }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { byte in
                    (48...57).contains(byte) || (97...122).contains(byte | 0x20)
                        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                }
        }
    }
}
