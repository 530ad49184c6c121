#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// An IPv4 or IPv6 address, as bytes in network order.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// 4 or 16.
    package let bytes: [UInt8]

    /// Only the usual forms: four decimal numbers, or colons. `127.1`, `0x7f000001` and `2130706433` are none.
    package init?(_ text: String) {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        bytes = withUnsafeBytes(of: six) { Array($0) }
    }

    /// Odd spellings too, as the C library reads them (`127.1`, `0x7f000001`, `2130706433`), and `localhost`, which is loopback
    /// everywhere (RFC 6761).
    init?(anySpelling text: String) {
        let name = text.lowercased()
        var four = in_addr()
        if let address = IPAddress(text) {
            self = address
        } else if inet_aton(text, &four) != 0 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if name == "localhost" || name.hasSuffix(".localhost") {
            bytes = [127, 0, 0, 1]
        } else {
            return nil
        }
    }

    init?(_ address: UnsafePointer<sockaddr>) {
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            bytes = address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { address in
                withUnsafeBytes(of: address.pointee.sin_addr) { Array($0) }
            }
        case AF_INET6:
            bytes = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                withUnsafeBytes(of: address.pointee.sin6_addr) { Array($0) }
            }
        default: return nil
        }
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    package var isV4: Bool { bytes.count == 4 }

    /// The IPv4 address that an IPv6 address stands for, where it does: mapped, compatible, NAT64 and 6to4 addresses reach it.
    var embedded: IPAddress? {
        guard bytes.count == 16 else { return nil }
        let zero12 = [UInt8](repeating: 0, count: 12)
        let mapped = Array(zero12.prefix(10)) + [0xFF, 0xFF]
        let translated: [UInt8] = [0x00, 0x64, 0xFF, 0x9B] + zero12.prefix(8)
        let head = Array(bytes.prefix(12))
        if head == mapped || head == zero12 || head == translated {
            return IPAddress(bytes: Array(bytes.suffix(4)))
        }
        return bytes.starts(with: [0x20, 0x02]) ? IPAddress(bytes: Array(bytes[2..<6])) : nil
    }

    package var description: String {
        if isV4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}

/// A block of addresses, `10.0.0.0/8`.
package struct AddressBlock: Sendable, Hashable {
    package let base: IPAddress
    package let prefix: Int

    /// An address alone stands for itself.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let base = IPAddress(String(parts[0])), parts.count <= 2 else { return nil }
        let bits = base.bytes.count * 8
        guard let prefix = parts.count == 2 ? Int(parts[1]) : bits, (0...bits).contains(prefix)
        else { return nil }
        self.base = base
        self.prefix = prefix
    }

    package func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        let whole = prefix / 8
        guard address.bytes.prefix(whole) == base.bytes.prefix(whole) else { return false }
        guard prefix % 8 != 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF00 >> (prefix % 8))
        return address.bytes[whole] & mask == base.bytes[whole] & mask
    }
}
