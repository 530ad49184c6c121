/// Values for a statement's `$1`, `$2` …, packed into one buffer. Arrays go as one parameter each, in PostgreSQL's binary form.
package struct PostgresParameters: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Where each value lies; `nil`: it is null.
    private(set) var places: [Range<Int>?] = []
    /// 0 text, 1 binary.
    private(set) var formats: [Int32] = []

    package init() {}

    package var count: Int { places.count }

    package mutating func append(null: Void) { add(nil, 1) }

    /// A number of the width that the statement expects.
    package mutating func append(_ number: some FixedWidthInteger) {
        let start = bytes.count
        put(number)
        add(start..<bytes.count, 1)
    }

    package mutating func append(_ number: Int64?) {
        if let number { append(number) } else { append(null: ()) }
    }

    package mutating func append(_ text: String) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        add(start..<bytes.count, 1)
    }

    /// A value as PostgreSQL writes it: where the statement decides the type.
    package mutating func append(written text: String) {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        // libpq reads text up to a zero.
        bytes.append(0)
        add(start..<bytes.count - 1, 0)
    }

    package mutating func append(_ blob: [UInt8]) {
        let start = bytes.count
        bytes.append(contentsOf: blob)
        add(start..<bytes.count, 1)
    }

    package mutating func append(_ numbers: [Int16]) { array(21, numbers) { $0.put($1) } }
    package mutating func append(_ numbers: [Int32]) { array(23, numbers) { $0.put($1) } }
    package mutating func append(_ numbers: [Int64]) { array(20, numbers) { $0.put($1) } }

    package mutating func append(_ texts: [String]) {
        array(25, texts) { $0.bytes.append(contentsOf: $1.utf8) }
    }

    package mutating func append(_ blobs: [[UInt8]]) {
        array(17, blobs) { $0.bytes.append(contentsOf: $1) }
    }

    /// One dimension, no nulls, indices from 1 on; each element with its length (array_recv in PostgreSQL's arrayfuncs.c).
    ///
    /// - Parameter type: of the elements, as in pg_type.
    private mutating func array<Element>(
        _ type: Int32,
        _ elements: [Element],
        _ write: (inout Self, Element) -> Void
    ) {
        let start = bytes.count
        put(Int32(elements.isEmpty ? 0 : 1))
        put(Int32(0))
        put(type)
        if !elements.isEmpty {
            put(Int32(elements.count))
            put(Int32(1))
        }
        for element in elements {
            let place = bytes.count
            put(Int32(0))
            write(&self, element)
            let length = Int32(bytes.count - place - 4).bigEndian
            withUnsafeBytes(of: length) { bytes.replaceSubrange(place..<place + 4, with: $0) }
        }
        add(start..<bytes.count, 1)
    }

    private mutating func put(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func add(_ place: Range<Int>?, _ format: Int32) {
        places.append(place)
        formats.append(format)
    }

    /// Calls `body` with what libpq wants: a pointer, a length and a format for each value.
    func withPointers<Value>(
        _ body: (
            _ count: Int32, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>,
            UnsafePointer<Int32>
        ) -> Value
    ) -> Value {
        // An empty buffer has no address, and no address means null.
        let buffer = bytes.isEmpty ? [0] : bytes
        return buffer.withUnsafeBytes { raw in
            let values = places.map { place in
                place.flatMap {
                    raw.baseAddress?.advanced(by: $0.lowerBound)
                        .assumingMemoryBound(to: CChar.self)
                }
            }
            let lengths = places.map { Int32($0?.count ?? 0) }
            return body(Int32(places.count), values, lengths, formats)
        }
    }
}
