/// Pushes packed one after another into one buffer, as they lie in the journal: building one allocates nothing per push,
/// and an engine can write the bytes through.
///
/// ``PushHeader`` draws the layout of a record.
package struct PushBatch: Sendable {
    package private(set) var bytes: [UInt8] = []
    package private(set) var count = 0

    package init() {}

    package init(_ pushes: some Collection<Push>) throws(InvalidPush) {
        bytes.reserveCapacity(pushes.count * 256)
        for push in pushes { try append(push) }
    }

    /// The bytes of a batch that was packed before, as read back from a journal.
    ///
    /// - Throws: ``InvalidPush`` with field `record` where a length runs past the end.
    package init(packed bytes: [UInt8]) throws(InvalidPush) {
        self.bytes = bytes
        var offset = 0
        while offset < bytes.count {
            guard let record = PushRecord(bytes.span, at: offset) else {
                throw InvalidPush(field: "record", problem: "byte \(offset) starts no whole record")
            }
            offset += record.length
            count += 1
        }
    }

    package var isEmpty: Bool { count == 0 }

    /// Its pushes, unpacked.
    package var pushes: [Push] {
        var pushes: [Push] = []
        pushes.reserveCapacity(count)
        var offset = 0
        while offset < bytes.count, let record = PushRecord(bytes.span, at: offset) {
            pushes.append(record.push(in: bytes.span))
            offset += record.length
        }
        return pushes
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        count = 0
    }

    package mutating func reserve(bytes capacity: Int) { bytes.reserveCapacity(capacity) }

    /// Packs one push. O(length).
    ///
    /// - Throws: ``InvalidPush`` naming the field; the batch is then unchanged.
    package mutating func append(_ push: Push) throws(InvalidPush) {
        var push = push
        push.id.text.makeContiguousUTF8()
        push.recipient.account.makeContiguousUTF8()
        push.recipient.person.makeContiguousUTF8()
        push.channel.makeContiguousUTF8()
        let mergeKey = push.merge?.key ?? ""
        try append(
            id: push.id.text.utf8.span,
            account: push.recipient.account.utf8.span,
            person: push.recipient.person.utf8.span,
            due: push.due,
            expires: push.expires,
            priority: push.priority,
            channel: push.channel.utf8.span,
            merge: push.merge.map { ($0.mode, $0.grace, $0.maxWait) },
            mergeKey: mergeKey.utf8.span,
            payload: push.payload.span
        )
    }

    /// Packs one push from its parts without building a ``Push``: for parsers on the hot path. All text is UTF-8.
    ///
    /// - Throws: ``InvalidPush`` naming the field; the batch is then unchanged.
    package mutating func append(
        id: Span<UInt8>,
        account: Span<UInt8>,
        person: Span<UInt8>,
        due: Timestamp,
        expires: Timestamp?,
        priority: Priority,
        channel: Span<UInt8>,
        merge: (mode: MergeRule.Mode, grace: Duration, maxWait: Duration)?,
        mergeKey: Span<UInt8>,
        payload: Span<UInt8>
    ) throws(InvalidPush) {
        try check(id, "id", 1...PushLimits.idBytes)
        try check(account, "account", 0...PushLimits.accountBytes)
        try check(person, "person", 1...PushLimits.personBytes)
        try check(channel, "channel", 1...PushLimits.channelBytes)
        try check(mergeKey, "merge.key", (merge == nil ? 0 : 1)...PushLimits.mergeKeyBytes)
        guard payload.count <= PushLimits.payloadBytes else {
            throw InvalidPush(
                field: "payload",
                problem: "is \(payload.count) bytes; at most \(PushLimits.payloadBytes) are allowed"
            )
        }
        var grace: UInt32 = 0
        var maxWait: UInt32 = 0
        if let merge {
            grace = try span(merge.grace, "merge.grace")
            maxWait = try span(merge.maxWait, "merge.maxWait")
        }
        let length =
            PushHeader.bytes + id.count + account.count + person.count + channel.count
            + mergeKey.count + payload.count
        guard count < PushLimits.batchPushes, bytes.count + length <= PushLimits.batchBytes else {
            throw InvalidPush(
                field: "batch",
                problem:
                    "is full: at most \(PushLimits.batchPushes) pushes and \(PushLimits.batchBytes) bytes"
            )
        }
        let header = PushHeader(
            length: UInt32(length),
            priority: priority.rawValue,
            mergeMode: merge?.mode.rawValue ?? 0,
            idLength: UInt16(id.count),
            due: due.milliseconds,
            expires: expires?.milliseconds ?? .max,
            accountLength: UInt8(account.count),
            personLength: UInt8(person.count),
            channelLength: UInt8(channel.count),
            mergeKeyLength: UInt8(mergeKey.count),
            grace: grace,
            maxWait: maxWait,
            payloadLength: UInt32(payload.count)
        )
        withUnsafeBytes(of: header) { bytes.append(contentsOf: $0) }
        put(id)
        put(account)
        put(person)
        put(channel)
        put(mergeKey)
        put(payload)
        count += 1
    }

    /// Gives pushes other bands where they lie.
    ///
    /// - Parameter band: of a push; `nil`: it keeps its own.
    package mutating func setPriorities(_ band: (Push) -> Priority?) {
        // PushHeader draws the layout.
        for (offset, band) in bands(band) { bytes[offset + 4] = band.rawValue }
    }

    private func bands(_ band: (Push) -> Priority?) -> [(offset: Int, band: Priority)] {
        var bands: [(offset: Int, band: Priority)] = []
        var offset = 0
        let span = bytes.span
        while let record = PushRecord(span, at: offset) {
            if let band = band(record.push(in: span)) { bands.append((offset, band)) }
            offset += record.length
        }
        return bands
    }

    private mutating func put(_ part: Span<UInt8>) {
        part.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
    }

    private func check(_ text: Span<UInt8>, _ field: String, _ allowed: ClosedRange<Int>)
        throws(InvalidPush)
    {
        guard allowed.contains(text.count) else {
            throw InvalidPush(
                field: field,
                problem:
                    "is \(text.count) bytes; \(allowed.lowerBound) to \(allowed.upperBound) are allowed"
            )
        }
        // The least of all, without a branch for each: this is on the hot path.
        let least = text.withUnsafeBufferPointer { $0.reduce(UInt8.max) { min($0, $1) } }
        guard least != 0 || text.isEmpty else {
            throw InvalidPush(field: field, problem: "must not contain U+0000")
        }
    }

    private func span(_ duration: Duration, _ field: String) throws(InvalidPush) -> UInt32 {
        guard let milliseconds = UInt32(exactly: duration.milliseconds) else {
            throw InvalidPush(field: field, problem: "must be 0 to 49 days")
        }
        return milliseconds
    }
}
