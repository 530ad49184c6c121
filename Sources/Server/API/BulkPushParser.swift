import BelfryCore

/// Reads pushes, one JSON object a line, straight from the bytes of a request into a ``PushBatch``.
///
/// A line without escapes in its strings costs one pass over its bytes and one copy into the batch, and allocates nothing. A line
/// that is wrong is reported and leaves the rest as it is.
struct BulkPushParser {
    /// What a line needs to know of the server.
    struct Surroundings: Sendable {
        var now: Timestamp
        var channels: Set<String>
        var isAccount: @Sendable (String) -> Bool
        var channelProblem: @Sendable (_ account: String, _ channel: String) -> String?
        var payloadProblem: @Sendable (String, [UInt8]) -> String?
        /// Channels whose payloads nobody needs to look at.
        var unchecked: Set<String>
    }

    /// One line: its id as it stood there, quotes included, and what was wrong with it.
    struct Line {
        /// Its number in the chunk, blank lines counted, from 1.
        var number: Int
        /// Where the id lies in the chunk; empty where there was none to be found.
        var id: Range<Int>
        var problem: Problem.Field?
    }

    private let around: Surroundings
    private(set) var batch = PushBatch()
    /// One for each line that was not blank, in order.
    private(set) var lines: [Line] = []
    /// Lines of the chunk, blank ones counted.
    private(set) var lineCount = 0
    private var account = Known()
    private var channel = Known()

    /// The last account or channel that was found to exist: pushes come in runs of the same.
    private struct Known {
        var bytes: [UInt8]?
        var needsLook = false
    }

    /// Where the parts of one push lie in the chunk.
    private struct Parts {
        var id: Range<Int>?
        var account = 0..<0
        var person: Range<Int>?
        var channel: Range<Int>?
        var mergeKey = 0..<0
        var payload: Range<Int>?
        var due: Timestamp?
        var delay: Duration?
        var expires: Timestamp?
        var priority = Priority.normal
        var merge: (mode: MergeRule.Mode, grace: Duration, maxWait: Duration)?
        /// One bit for each member that was there, to find those that occur twice.
        var seen: UInt16 = 0
        /// A string among them holds escapes: the slow way is taken.
        var escaped = false
        /// The id with its quotes, to be echoed.
        var token = 0..<0
        var problem: Problem.Field?
    }

    init(_ around: Surroundings) { self.around = around }

    mutating func removeAll() {
        batch.removeAll()
        lines.removeAll(keepingCapacity: true)
        lineCount = 0
    }

    /// Reads every line of the chunk. The batch must be empty, and the chunk small enough for one (``PushLimits/batchPushes``).
    mutating func read(_ chunk: Span<UInt8>) {
        // Checked once for all; only where the whole is bad, line by line.
        let isClean = UTF8Check.firstFault(chunk) == nil
        var start = 0
        while start < chunk.count {
            var end = start
            while end < chunk.count, chunk[end] != UInt8(ascii: "\n") { end += 1 }
            lineCount += 1
            readLine(chunk, start..<end, isClean)
            start = end + 1
        }
    }

    private mutating func readLine(_ chunk: Span<UInt8>, _ range: Range<Int>, _ isClean: Bool) {
        let line = chunk.extracting(range)
        var index = 0
        JSONText.skipSpace(line, &index)
        guard index < line.count else { return }
        if !isClean, let fault = UTF8Check.firstFault(line) {
            lines.append(
                Line(
                    number: lineCount,
                    id: 0..<0,
                    problem: .init("", "utf8", "is not valid UTF-8 at byte \(fault) of the line")
                )
            )
            return
        }
        var parts = Parts()
        do throws(JSONFault) {
            try object(line, &index, &parts)
            JSONText.skipSpace(line, &index)
            if index < line.count {
                throw JSONFault(offset: index, problem: "something follows the object")
            }
        } catch {
            note(&parts, "", "json", "\(error.problem) at byte \(error.offset) of the line")
        }
        if parts.problem == nil { accept(line, &parts) }
        let token = parts.token
        lines.append(
            Line(
                number: lineCount,
                id: range.lowerBound + token.lowerBound..<range.lowerBound + token.upperBound,
                problem: parts.problem
            )
        )
    }

    /// Keeps the first problem of a line.
    private func note(_ parts: inout Parts, _ pointer: String, _ code: String, _ detail: String) {
        if parts.problem == nil { parts.problem = .init(pointer, code, detail) }
    }

    private func object(_ line: Span<UInt8>, _ index: inout Int, _ parts: inout Parts)
        throws(JSONFault)
    {
        try JSONText.members(line, &index) { key, index throws(JSONFault) in
            try member(line, key.range, &index, &parts)
        }
    }

    private func member(
        _ line: Span<UInt8>,
        _ key: Range<Int>,
        _ index: inout Int,
        _ parts: inout Parts
    ) throws(JSONFault) {
        func isKey(_ name: StaticString, _ bit: UInt16) -> Bool {
            guard JSONText.equals(line, key, name) else { return false }
            if parts.seen & 1 << bit != 0 { note(&parts, "/\(name)", "twice", "occurs twice") }
            parts.seen |= 1 << bit
            return true
        }
        switch key.count {
        case 2 where isKey("id", 0):
            let start = index
            parts.id = try text(line, &index, &parts, "/id")
            if parts.problem == nil { parts.token = start..<index }
        case 2 where isKey("to", 1): parts.person = try text(line, &index, &parts, "/to")
        case 7 where isKey("account", 2):
            parts.account = try text(line, &index, &parts, "/account") ?? 0..<0
        case 7 where isKey("channel", 3): parts.channel = try text(line, &index, &parts, "/channel")
        case 7 where isKey("payload", 4): parts.payload = try payload(line, &index, &parts)
        case 7 where isKey("expires", 5): parts.expires = try time(line, &index, &parts, "/expires")
        case 3 where isKey("due", 6): parts.due = try time(line, &index, &parts, "/due")
        case 5 where isKey("delay", 7): parts.delay = try span(line, &index, &parts, "/delay")
        case 5 where isKey("merge", 8): try merge(line, &index, &parts)
        case 8 where isKey("priority", 9): try priority(line, &index, &parts)
        default:
            try JSONText.skipValue(line, &index)
            unknown(line, key, &parts, "", BulkPushParser.names)
        }
    }

    static let names = [
        "id", "account", "to", "due", "delay", "channel", "priority", "expires", "merge", "payload",
    ]

    private func unknown(
        _ line: Span<UInt8>,
        _ key: Range<Int>,
        _ parts: inout Parts,
        _ path: String,
        _ names: [String]
    ) {
        let name = String(decoding: JSONText.unescaped(line, key).prefix(128), as: UTF8.self)
        let nearest = Suggestion.nearest(to: name, among: names)
        note(
            &parts,
            "\(path)/\(name)",
            "unknown",
            "is not known" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        )
    }

    // MARK: Values

    private func text(
        _ line: Span<UInt8>,
        _ index: inout Int,
        _ parts: inout Parts,
        _ pointer: String
    ) throws(JSONFault) -> Range<Int>? {
        guard index < line.count, line[index] == UInt8(ascii: "\"") else {
            try JSONText.skipValue(line, &index)
            note(&parts, pointer, "type", "must be a string")
            return nil
        }
        let (range, escaped) = try JSONText.string(line, &index)
        if escaped { parts.escaped = true }
        return range
    }

    private func time(
        _ line: Span<UInt8>,
        _ index: inout Int,
        _ parts: inout Parts,
        _ pointer: String
    ) throws(JSONFault) -> Timestamp? {
        let value = try JSONText.skipValue(line, &index)
        if line[value.lowerBound] == UInt8(ascii: "\"") {
            if let time = TimeText.parse(line, value.lowerBound + 1..<value.upperBound - 1) {
                return time
            }
        } else if let number = BulkPushParser.whole(line, value) {
            return Timestamp(milliseconds: number)
        }
        note(
            &parts,
            pointer,
            "time",
            "must be an RFC 3339 time, such as \"2026-11-21T08:00:00Z\", or milliseconds since 1970"
        )
        return nil
    }

    /// A number of at most 18 digits and no sign.
    private static func whole(_ line: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard !range.isEmpty, range.count <= 18 else { return nil }
        var value: Int64 = 0
        for index in range {
            let byte = line[index]
            guard byte >= 48, byte <= 57 else { return nil }
            value = value * 10 + Int64(byte - 48)
        }
        return value
    }

    private func span(
        _ line: Span<UInt8>,
        _ index: inout Int,
        _ parts: inout Parts,
        _ pointer: String
    ) throws(JSONFault) -> Duration? {
        let value = try JSONText.skipValue(line, &index)
        if line[value.lowerBound] == UInt8(ascii: "\"") {
            let inner = value.lowerBound + 1..<value.upperBound - 1
            let text = String(decoding: JSONText.unescaped(line, inner), as: UTF8.self)
            if let span = DurationText.parse(text) { return span }
        }
        note(
            &parts,
            pointer,
            "duration",
            "must be a duration, such as \"90s\" or \"PT1M30S\""
        )
        return nil
    }

    private func priority(_ line: Span<UInt8>, _ index: inout Int, _ parts: inout Parts)
        throws(JSONFault)
    {
        let value = try JSONText.skipValue(line, &index)
        func isValue(_ name: StaticString) -> Bool { JSONText.equals(line, value, name) }
        if isValue("\"normal\"") {
            parts.priority = .normal
        } else if isValue("\"high\"") {
            parts.priority = .high
        } else if isValue("\"low\"") {
            parts.priority = .low
        } else if isValue("\"urgent\"") {
            parts.priority = .urgent
        } else {
            note(&parts, "/priority", "value", "must be one of urgent, high, normal, low")
        }
    }

    private func merge(_ line: Span<UInt8>, _ index: inout Int, _ parts: inout Parts)
        throws(JSONFault)
    {
        guard index < line.count, line[index] == UInt8(ascii: "{") else {
            let value = try JSONText.skipValue(line, &index)
            if !JSONText.equals(line, value, "null") {
                note(&parts, "/merge", "type", "must be an object")
            }
            return
        }
        var grace: Duration?
        var maxWait: Duration?
        var mode = MergeRule.Mode.newest
        try JSONText.members(line, &index) { key, index throws(JSONFault) in
            func isKey(_ name: StaticString) -> Bool { JSONText.equals(line, key.range, name) }
            if isKey("key") {
                parts.mergeKey = try text(line, &index, &parts, "/merge/key") ?? 0..<0
            } else if isKey("grace") {
                grace = try span(line, &index, &parts, "/merge/grace")
            } else if isKey("max_wait") {
                maxWait = try span(line, &index, &parts, "/merge/max_wait")
            } else if isKey("mode") {
                let value = try JSONText.skipValue(line, &index)
                if JSONText.equals(line, value, "\"collect\"") {
                    mode = .collect
                } else if !JSONText.equals(line, value, "\"newest\"") {
                    note(&parts, "/merge/mode", "value", "must be one of newest, collect")
                }
            } else {
                try JSONText.skipValue(line, &index)
                unknown(line, key.range, &parts, "/merge", ["key", "grace", "max_wait", "mode"])
            }
        }
        parts.merge = (mode, grace ?? .zero, maxWait ?? grace ?? .zero)
    }

    /// The inside of a string, or any other value as it stands.
    private func payload(_ line: Span<UInt8>, _ index: inout Int, _ parts: inout Parts)
        throws(JSONFault) -> Range<Int>?
    {
        let isString = index < line.count && line[index] == UInt8(ascii: "\"")
        if isString { return try text(line, &index, &parts, "/payload") }
        let value = try JSONText.skipValue(line, &index)
        return JSONText.equals(line, value, "null") ? nil : value
    }

    // MARK: Into the batch

    private mutating func accept(_ line: Span<UInt8>, _ parts: inout Parts) {
        guard let id = parts.id, let person = parts.person, let channel = parts.channel,
            let payload = parts.payload
        else {
            let missing =
                parts.id == nil
                ? "/id"
                : parts.person == nil ? "/to" : parts.channel == nil ? "/channel" : "/payload"
            return note(&parts, missing, "missing", "is needed")
        }
        if parts.due != nil, parts.delay != nil {
            return note(&parts, "/delay", "ambiguous", "give either due or delay")
        }
        guard let due = parts.due ?? parts.delay.map({ around.now + $0 }) else {
            return note(&parts, "/due", "missing", "is needed, or delay")
        }
        if let problem = PushFields.pastProblem(due, around.now) {
            return note(&parts, "/due", "too_past", problem)
        }
        if let problem = PushFields.expiryProblem(due: due, expires: parts.expires) {
            return note(&parts, "/expires", "before_due", problem)
        }
        if !parts.escaped {
            guard !isOwn(line.extracting(id)) else {
                return note(&parts, "/id", "reserved", PushFields.reserved)
            }
            guard isKnown(line, channel, parts.account, &parts),
                passes(line, channel, payload, &parts)
            else { return }
        }
        do throws(InvalidPush) {
            if parts.escaped {
                try acceptEscaped(line, &parts, due, (id, person, channel, payload))
            } else {
                try batch.append(
                    id: line.extracting(id),
                    account: line.extracting(parts.account),
                    person: line.extracting(person),
                    due: due,
                    expires: parts.expires,
                    priority: parts.priority,
                    channel: line.extracting(channel),
                    merge: parts.merge,
                    mergeKey: line.extracting(parts.mergeKey),
                    payload: line.extracting(payload)
                )
            }
        } catch {
            note(&parts, PushPointer.of(error.field), "limit", error.problem)
        }
    }

    private mutating func acceptEscaped(
        _ line: Span<UInt8>,
        _ parts: inout Parts,
        _ due: Timestamp,
        _ ranges: (id: Range<Int>, person: Range<Int>, channel: Range<Int>, payload: Range<Int>)
    ) throws(InvalidPush) {
        let channel = JSONText.unescaped(line, ranges.channel)
        let account = JSONText.unescaped(line, parts.account)
        // A payload that is no string stands in the line as it is, escapes and all.
        let isString = line[ranges.payload.lowerBound - 1] == UInt8(ascii: "\"")
        let payload =
            isString
            ? JSONText.unescaped(line, ranges.payload)
            : ranges.payload.map { line[$0] }
        guard isKnown(channel.span, 0..<channel.count, 0..<0, &parts, account: account),
            passes(channel, payload, &parts)
        else { return }
        let id = JSONText.unescaped(line, ranges.id)
        guard !isOwn(id.span) else {
            return note(&parts, "/id", "reserved", PushFields.reserved)
        }
        let person = JSONText.unescaped(line, ranges.person)
        let mergeKey = JSONText.unescaped(line, parts.mergeKey)
        try batch.append(
            id: id.span,
            account: account.span,
            person: person.span,
            due: due,
            expires: parts.expires,
            priority: parts.priority,
            channel: channel.span,
            merge: parts.merge,
            mergeKey: mergeKey.span,
            payload: payload.span
        )
    }

    /// As ``PushID/isOwn``, without making a text of it.
    private func isOwn(_ id: Span<UInt8>) -> Bool {
        func begins(_ prefix: StaticString) -> Bool {
            let count = prefix.utf8CodeUnitCount
            return id.count >= count && JSONText.equals(id, 0..<count, prefix)
        }
        return begins("flow/") || begins("reminder/")
    }

    private mutating func isKnown(
        _ bytes: Span<UInt8>,
        _ channelRange: Range<Int>,
        _ accountRange: Range<Int>,
        _ parts: inout Parts,
        account given: [UInt8]? = nil
    ) -> Bool {
        let isSameChannel = BulkPushParser.same(channel.bytes, bytes, channelRange)
        if !isSameChannel {
            let name = String(decoding: channelRange.map { bytes[$0] }, as: UTF8.self)
            guard around.channels.contains(name) else {
                let known = around.channels.sorted().joined(separator: ", ")
                note(&parts, "/channel", "unknown", "is none of \(known)")
                return false
            }
            channel = Known(bytes: Array(name.utf8), needsLook: !around.unchecked.contains(name))
        }
        let accountBytes = given ?? []
        let isSame =
            given == nil
            ? BulkPushParser.same(account.bytes, bytes, accountRange)
            : account.bytes == accountBytes
        if !isSame {
            let bytes = given ?? accountRange.map { bytes[$0] }
            guard around.isAccount(String(decoding: bytes, as: UTF8.self)) else {
                note(
                    &parts,
                    "/account",
                    bytes.isEmpty ? "missing" : "unknown",
                    bytes.isEmpty ? "is needed" : "is no account of this server"
                )
                return false
            }
            account = Known(bytes: bytes)
        }
        return isSameChannel && isSame || mayCarry(&parts)
    }

    /// Whether the account that was found can send over the channel that was found.
    private mutating func mayCarry(_ parts: inout Parts) -> Bool {
        let names = [account, channel].map { String(decoding: $0.bytes ?? [], as: UTF8.self) }
        guard let problem = around.channelProblem(names[0], names[1]) else { return true }
        note(&parts, "/channel", "account", problem)
        // The next line with the same two is asked about again.
        channel = Known()
        return false
    }

    private static func same(_ known: [UInt8]?, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard let known, known.count == range.count else { return false }
        for offset in 0..<known.count where known[offset] != bytes[range.lowerBound + offset] {
            return false
        }
        return true
    }

    private func passes(
        _ line: Span<UInt8>,
        _ channelRange: Range<Int>,
        _ payload: Range<Int>,
        _ parts: inout Parts
    ) -> Bool {
        guard channel.needsLook else { return true }
        return passes(channelRange.map { line[$0] }, payload.map { line[$0] }, &parts)
    }

    private func passes(_ channelName: [UInt8], _ payload: [UInt8], _ parts: inout Parts) -> Bool {
        guard channel.needsLook else { return true }
        let name = String(decoding: channelName, as: UTF8.self)
        guard let problem = around.payloadProblem(name, payload) else { return true }
        note(&parts, "/payload", "payload", problem)
        return false
    }
}
