import BelfryCore

/// A value that every database we speak to can hold: what is bound to a `?`, and what comes back.
package enum SQLValue: Sendable, Hashable {
    case null
    /// 64 bits, signed.
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    static func integer(_ value: Int) -> SQLValue { .integer(Int64(value)) }
    static func integer(_ value: Int?) -> SQLValue { value.map { .integer(Int64($0)) } ?? .null }
    static func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
    static func blob(_ value: [UInt8]?) -> SQLValue { value.map { .blob($0) } ?? .null }
    static func time(_ value: Timestamp) -> SQLValue { .integer(value.milliseconds) }
    static func time(_ value: Timestamp?) -> SQLValue { value.map { .time($0) } ?? .null }
    static func flag(_ value: Bool) -> SQLValue { .integer(value ? 1 : 0) }
    /// Sequences are 64 bits unsigned; databases have no such type, so the bits are kept.
    static func bits(_ value: UInt64) -> SQLValue { .integer(Int64(bitPattern: value)) }
}

/// One row of an answer, its columns by position.
///
/// A column of another type than asked for reads as zero or empty: our own SQL wrote it, so only a damaged file can differ, and that is
/// reported by the checks of the file itself.
package struct SQLRow: Sendable, Hashable {
    package var values: [SQLValue]

    package init(_ values: [SQLValue]) { self.values = values }

    func optionalInteger(_ column: Int) -> Int? {
        guard case .integer(let value) = values[column] else { return nil }
        return Int(value)
    }

    func optionalText(_ column: Int) -> String? {
        guard case .text(let value) = values[column] else { return nil }
        return value
    }

    func optionalBlob(_ column: Int) -> [UInt8]? {
        guard case .blob(let value) = values[column] else { return nil }
        return value
    }

    func optionalTime(_ column: Int) -> Timestamp? {
        optionalInteger(column).map { Timestamp(milliseconds: Int64($0)) }
    }

    func integer(_ column: Int) -> Int { optionalInteger(column) ?? 0 }
    func text(_ column: Int) -> String { optionalText(column) ?? "" }
    func blob(_ column: Int) -> [UInt8] { optionalBlob(column) ?? [] }
    func flag(_ column: Int) -> Bool { integer(column) != 0 }
    func bits(_ column: Int) -> UInt64 { UInt64(bitPattern: Int64(integer(column))) }
    func time(_ column: Int) -> Timestamp { Timestamp(milliseconds: Int64(integer(column))) }
}
