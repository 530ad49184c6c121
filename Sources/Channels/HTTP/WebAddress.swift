package import BelfryCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The host of a web address that may be called: `http` or `https`, no user name, a port that there is, and a host that every reader understands alike.
package struct WebAddress: Sendable, Hashable {
    package let scheme: String
    /// Without the brackets of an IPv6 address.
    package let host: String

    /// - Throws: ``HTTPFailure`` with `forbidden`.
    package init(_ text: String) throws(HTTPFailure) {
        guard text.utf8.count <= 4096, let url = URL(string: text), let found = url.host,
            let scheme = url.scheme?.lowercased()
        else { throw HTTPFailure(.forbidden, "not a web address") }
        guard scheme == "http" || scheme == "https" else {
            throw HTTPFailure(.forbidden, "only http and https may be called")
        }
        guard url.user == nil, url.password == nil else {
            throw HTTPFailure(.forbidden, "a web address must not hold a user name")
        }
        var host = found
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, host.utf8.count <= 253, host.utf8.allSatisfy(Self.isPlain) else {
            throw HTTPFailure(.forbidden, "the host name must be plain ASCII (use punycode)")
        }
        guard Self.isPortPossible(in: text) else {
            throw HTTPFailure(.forbidden, "the port must be a number from 1 to 65535")
        }
        self.scheme = scheme
        self.host = host
    }

    /// Looks at the text itself: a port beyond all numbers is none to `URL`.
    private static func isPortPossible(in text: String) -> Bool {
        guard let start = text.firstRange(of: "://")?.upperBound else { return false }
        let authority = text[start...].prefix { !"/?#".contains($0) }
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else {
            return true
        }
        let port = authority[colon...].dropFirst()
        // Nothing behind the colon means the port of the scheme.
        return port.isEmpty || UInt16(port).map { $0 > 0 } ?? false
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: "_"), UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
