/// One pending push as bytes, so that it can wait anywhere outside of a timeline. Little endian:
///
///     sequence (8), attempt (4), asked (8), accepted (8), group: 0 none, 1 closed, 2 open (1), its first (8), its last (8),
///     how many payloads it has collected (1), each with its length (4); then the push as in ``PushBatch``
extension Pending {
    /// - Throws: ``InvalidPush`` where the push breaks a limit.
    package func packed() throws(InvalidPush) -> [UInt8] {
        var bytes: [UInt8] = []
        func put(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        put(sequence)
        put(UInt32(clamping: attempt))
        put(asked.milliseconds)
        put(accepted.milliseconds)
        put(UInt8(group.map { $0.isOpen ? 2 : 1 } ?? 0))
        put(group?.first.milliseconds ?? 0)
        put(group?.last.milliseconds ?? 0)
        put(UInt8(clamping: collected.count))
        for payload in collected.prefix(Int(UInt8.max)) {
            put(UInt32(payload.count))
            bytes += payload
        }
        return bytes + (try PushBatch([push]).bytes)
    }

    /// Reads one back; `nil` where that is no whole one.
    package init?(packed bytes: [UInt8]) {
        var at = 0
        func take<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
            let size = MemoryLayout<Number>.size
            guard at + size <= bytes.count else { return nil }
            defer { at += size }
            return bytes.withUnsafeBytes {
                Number(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: Number.self))
            }
        }
        func time() -> Timestamp? { take(Int64.self).map { Timestamp(milliseconds: $0) } }
        guard let sequence = take(UInt64.self), let attempt = take(UInt32.self),
            let asked = time(), let accepted = time(), let kind = take(UInt8.self),
            let first = time(), let last = time(), let count = take(UInt8.self)
        else { return nil }
        var collected: [[UInt8]] = []
        for _ in 0..<count {
            guard let length = take(UInt32.self), at + Int(length) <= bytes.count else {
                return nil
            }
            collected.append(Array(bytes[at..<at + Int(length)]))
            at += Int(length)
        }
        let rest = Array(bytes[at...])
        guard let record = PushRecord(rest.span, at: 0), record.length == rest.count else {
            return nil
        }
        self.init(
            push: record.push(in: rest.span),
            state: .scheduled,
            sequence: sequence,
            attempt: Int(attempt),
            asked: asked,
            accepted: accepted,
            collected: collected,
            group: kind == 0 ? nil : Group(first: first, last: last, isOpen: kind == 2)
        )
    }
}
