import BelfryCore

/// Grants and their uses as they lie in a person's row. Little endian:
///
///     size
///       1    form: 2; 1: without uses
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
///       2    how many uses
///            then for each:
///       8    time
///       8    when the first grant that it was taken from ended
///       2    how many grants it counts against
///            then for each:
///       2    the grant's place in the list above
///
/// Read and written with every callback and every send, which is why it is not JSON: that would cost more than the rest of the row.
enum GrantCode {
    /// Far above what rules produce; a person's row stays some tens of kilobytes at worst.
    static let limit = 1000

    static func pack(_ grants: [Grant], _ uses: [GrantUse]) -> [UInt8] {
        precondition(grants.count <= limit && uses.count <= limit)
        var bytes: [UInt8] = [2]
        bytes.reserveCapacity(5 + grants.count * 64 + uses.count * 20)
        put(count: grants.count, &bytes)
        for grant in grants {
            put(grant.source, &bytes)
            put(grant.granted.milliseconds, &bytes)
            put(grant.expires.milliseconds, &bytes)
            put(grant.quota.map(Int64.init) ?? -1, &bytes)
            put(Int64(grant.used), &bytes)
            put(grant.rule, &bytes)
        }
        let places = Dictionary(
            grants.indices.map { (grants[$0].key, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        put(count: uses.count, &bytes)
        for use in uses {
            put(use.time.milliseconds, &bytes)
            put(use.ends.milliseconds, &bytes)
            // A grant that is gone counts nothing any more.
            let taken = use.taken.compactMap { places[$0] }
            put(count: taken.count, &bytes)
            for place in taken { put(count: place, &bytes) }
        }
        return bytes
    }

    /// - Throws: `corrupt`.
    static func unpack(_ bytes: [UInt8]) throws(RecordsError)
        -> (grants: [Grant], uses: [GrantUse])
    {
        var rest = bytes[...]
        let form = rest.popFirst()
        guard form == 1 || form == 2 else { throw damaged }
        let grants = try unpackGrants(&rest)
        let uses = form == 1 ? [] : try unpackUses(&rest, of: grants)
        guard rest.isEmpty else { throw damaged }
        return (grants, uses)
    }

    private static func unpackGrants(_ rest: inout ArraySlice<UInt8>) throws(RecordsError)
        -> [Grant]
    {
        var grants: [Grant] = []
        for _ in 0..<(try count(&rest)) {
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
        return grants
    }

    private static func unpackUses(_ rest: inout ArraySlice<UInt8>, of grants: [Grant])
        throws(RecordsError) -> [GrantUse]
    {
        var uses: [GrantUse] = []
        for _ in 0..<(try count(&rest)) {
            let time = Timestamp(milliseconds: try integer(&rest))
            let ends = Timestamp(milliseconds: try integer(&rest))
            var use = GrantUse(time: time, taken: [], ends: ends)
            for _ in 0..<(try count(&rest)) {
                let place = try count(&rest)
                guard grants.indices.contains(place) else { throw damaged }
                use.taken.append(grants[place].key)
            }
            uses.append(use)
        }
        return uses
    }

    private static let damaged = RecordsError(.corrupt, "grants: the stored bytes are damaged")

    private static func put(count: Int, _ bytes: inout [UInt8]) {
        bytes.append(UInt8(count & 0xFF))
        bytes.append(UInt8(count >> 8))
    }

    private static func count(_ rest: inout ArraySlice<UInt8>) throws(RecordsError) -> Int {
        guard let low = rest.popFirst(), let high = rest.popFirst() else { throw damaged }
        return Int(low) | Int(high) << 8
    }

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
