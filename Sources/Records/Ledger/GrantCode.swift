import BelfryCore

/// Grants as they lie in a person's row. Little endian:
///
///     size
///       1    form: 1
///       2    how many grants
///            then for each:
///       1    source length
///       n    source
///       8    granted, milliseconds since 1970
///       8    expires
///       8    quota; -1: any number
///       8    used
///       1    rule length
///       n    rule
///
/// Read and written with every callback and every send, which is why it is not JSON: that would cost more than the rest of the row.
enum GrantCode {
    /// Far above what rules produce; a person's row stays some tens of kilobytes at worst.
    static let limit = 1000

    static func pack(_ grants: [Grant]) -> [UInt8] {
        precondition(grants.count <= limit)
        var bytes: [UInt8] = [1, UInt8(grants.count & 0xFF), UInt8(grants.count >> 8)]
        bytes.reserveCapacity(3 + grants.count * 64)
        for grant in grants {
            put(grant.source, &bytes)
            put(grant.granted.milliseconds, &bytes)
            put(grant.expires.milliseconds, &bytes)
            put(grant.quota.map(Int64.init) ?? -1, &bytes)
            put(Int64(grant.used), &bytes)
            put(grant.rule, &bytes)
        }
        return bytes
    }

    /// - Throws: `corrupt`.
    static func unpack(_ bytes: [UInt8]) throws(RecordsError) -> [Grant] {
        var rest = bytes[...]
        guard rest.popFirst() == 1, let low = rest.popFirst(), let high = rest.popFirst() else {
            throw damaged
        }
        var grants: [Grant] = []
        for _ in 0..<(Int(low) | Int(high) << 8) {
            let source = try text(&rest)
            let granted = try integer(&rest)
            let expires = try integer(&rest)
            let quota = try integer(&rest)
            let used = try integer(&rest)
            grants.append(
                Grant(
                    source: source,
                    granted: Timestamp(milliseconds: granted),
                    expires: Timestamp(milliseconds: expires),
                    quota: quota < 0 ? nil : Int(quota),
                    used: Int(used),
                    rule: try text(&rest)
                )
            )
        }
        guard rest.isEmpty else { throw damaged }
        return grants
    }

    private static let damaged = RecordsError(.corrupt, "grants: the stored bytes are damaged")

    private static func put(_ text: String, _ bytes: inout [UInt8]) {
        precondition(text.utf8.count <= TextLimits.name)
        bytes.append(UInt8(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    private static func put(_ value: Int64, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func text(_ rest: inout ArraySlice<UInt8>) throws(RecordsError) -> String {
        guard let count = rest.popFirst(), rest.count >= count else { throw damaged }
        defer { rest.removeFirst(Int(count)) }
        return String(decoding: rest.prefix(Int(count)), as: UTF8.self)
    }

    private static func integer(_ rest: inout ArraySlice<UInt8>) throws(RecordsError) -> Int64 {
        guard rest.count >= 8 else { throw damaged }
        defer { rest.removeFirst(8) }
        return rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int64($1) }
    }
}
