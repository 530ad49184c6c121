/// The fixed head of a packed push. Little endian, lengths in bytes:
///
///     offset size
///       0     4   length of the whole record, this field included
///       4     1   priority
///       5     1   merge mode: 0 none, 1 newest, 2 collect
///       6     2   id length
///       8     8   due, milliseconds since 1970
///      16     8   expires, milliseconds since 1970; Int64.max = never
///      24     1   account length
///      25     1   person length
///      26     1   channel length
///      27     1   merge key length
///      28     4   merge grace, milliseconds
///      32     4   merge maxWait, milliseconds
///      36     4   payload length
///      40     …   id, account, person, channel, merge key, payload
package struct PushHeader: Sendable, BitwiseCopyable {
    package var length: UInt32
    package var priority: UInt8
    package var mergeMode: UInt8
    package var idLength: UInt16
    package var due: Int64
    package var expires: Int64
    package var accountLength: UInt8
    package var personLength: UInt8
    package var channelLength: UInt8
    package var mergeKeyLength: UInt8
    package var grace: UInt32
    package var maxWait: UInt32
    package var payloadLength: UInt32

    package static let bytes = 40
}

/// Where the parts of one packed push lie in a buffer: what an engine needs, without copying anything.
package struct PushRecord: Sendable {
    /// Where the record begins, in bytes from the start of the buffer.
    package let offset: Int
    package let header: PushHeader

    package var length: Int { Int(header.length) }
    package var due: Timestamp { Timestamp(milliseconds: header.due) }
    package var expires: Timestamp? {
        header.expires == .max ? nil : Timestamp(milliseconds: header.expires)
    }
    package var priority: Priority { Priority(rawValue: header.priority) ?? .normal }

    package var id: Range<Int> { range(after: offset + PushHeader.bytes, Int(header.idLength)) }
    package var account: Range<Int> { range(after: id.upperBound, Int(header.accountLength)) }
    package var person: Range<Int> { range(after: account.upperBound, Int(header.personLength)) }
    package var channel: Range<Int> { range(after: person.upperBound, Int(header.channelLength)) }
    package var mergeKey: Range<Int> {
        range(after: channel.upperBound, Int(header.mergeKeyLength))
    }
    package var payload: Range<Int> {
        range(after: mergeKey.upperBound, Int(header.payloadLength))
    }

    /// Reads the head of the record at `offset`; `nil` if no whole, self-consistent record lies there.
    package init?(_ bytes: borrowing Span<UInt8>, at offset: Int) {
        guard offset >= 0, bytes.count - offset >= PushHeader.bytes else { return nil }
        let header = bytes.withUnsafeBytes {
            $0.loadUnaligned(fromByteOffset: offset, as: PushHeader.self)
        }
        let parts =
            Int(header.idLength) + Int(header.accountLength) + Int(header.personLength)
            + Int(header.channelLength) + Int(header.mergeKeyLength) + Int(header.payloadLength)
        guard Int(header.length) == PushHeader.bytes + parts,
            bytes.count - offset >= Int(header.length), header.priority <= 3, header.mergeMode <= 2
        else { return nil }
        self.offset = offset
        self.header = header
    }

    /// Copies the record out as a ``Push``.
    package func push(in bytes: borrowing Span<UInt8>) -> Push {
        let merge = MergeRule.Mode(rawValue: header.mergeMode).map {
            MergeRule(
                key: text(mergeKey, bytes),
                grace: .milliseconds(Int64(header.grace)),
                maxWait: .milliseconds(Int64(header.maxWait)),
                mode: $0
            )
        }
        return Push(
            id: PushID(text(id, bytes)),
            recipient: Recipient(account: text(account, bytes), person: text(person, bytes)),
            due: due,
            expires: expires,
            priority: priority,
            channel: text(channel, bytes),
            merge: merge,
            payload: bytes.withUnsafeBytes { Array($0[payload]) }
        )
    }

    private func text(_ range: Range<Int>, _ bytes: borrowing Span<UInt8>) -> String {
        bytes.withUnsafeBytes { String(decoding: $0[range], as: UTF8.self) }
    }

    private func range(after start: Int, _ count: Int) -> Range<Int> { start..<start + count }
}
