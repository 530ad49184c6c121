import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird
import NIOCore

/// `POST /v1/reminders:bulk`: NDJSON in, a result for each line out, in order.
///
/// The body is read as it comes and done in batches, each durable before the next; so the memory that a request costs is its results
/// and one batch. Lines that are wrong do not keep the others from being done. Sending the same body again is harmless.
struct BulkReminders {
    /// A topic, a person and an act with room to spare.
    private static let lineBytes = 4096

    /// A line that was read: what it wants, or what is wrong with it.
    private struct Line {
        var number: Int
        var wish: ReminderWish?
        var problem: Problem.Field?
    }

    private let call: Call
    private var pending: [UInt8] = []
    private var lines: [Line] = []
    private var answer: [UInt8] = []
    private var bytes = 0
    private var number = 0
    private var items = 0
    private var done = 0
    private var refused = 0
    /// Why the last batch that could not be done was not.
    private var failure: (any Error)?
    /// A line was too long: nothing counts until it ends.
    private var isSkipping = false

    private init(_ call: Call) { self.call = call }

    static func respond(to call: Call) async throws -> Response {
        try call.expectType("ndjson", "jsonl", "json-lines", "octet-stream", "text/plain")
        var bulk = BulkReminders(call)
        for try await buffer in call.request.body { try await bulk.take(buffer) }
        try await bulk.finish()
        if bulk.done == 0, let failure = bulk.failure { throw failure }
        return .bytes(
            bulk.answer,
            type: "application/x-ndjson",
            status: bulk.refused == 0 ? .ok : .init(code: 207, reasonPhrase: "Multi-Status")
        )
    }

    private mutating func take(_ buffer: ByteBuffer) async throws {
        bytes += buffer.readableBytes
        let limit = call.server.configuration.http.bulkBytesMax
        guard bytes <= limit else {
            throw Problem(
                .tooLarge,
                "The body has more than \(limit) bytes; \(done) reminders before that were done."
            )
        }
        var rest = buffer.readableBytesView[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            append(rest[..<end])
            try await endLine()
            rest = rest[(end + 1)...]
        }
        append(rest)
    }

    private mutating func append(_ part: ByteBufferView) {
        guard !isSkipping else { return }
        if pending.count + part.count > Self.lineBytes {
            isSkipping = true
            pending.removeAll(keepingCapacity: true)
        } else {
            pending.append(contentsOf: part)
        }
    }

    private mutating func finish() async throws {
        if !pending.isEmpty || isSkipping { try await endLine() }
        try await work()
    }

    private mutating func endLine() async throws {
        number += 1
        defer {
            pending.removeAll(keepingCapacity: true)
            isSkipping = false
        }
        if isSkipping {
            items += 1
            let problem = "the line is longer than \(Self.lineBytes) bytes"
            lines.append(Line(number: number, problem: .init("", "length", problem)))
        } else if pending.contains(where: { $0 > 0x20 }) {
            items += 1
            lines.append(read(pending))
        }
        if lines.count >= ReminderDesk.batch { try await work() }
    }

    private func read(_ bytes: [UInt8]) -> Line {
        do {
            var fields = try Fields.parse(bytes)
            let topic = fields.text("topic", 1...TextLimits.name)
            let person = fields.text("to", 1...PushLimits.personBytes)
            let act = fields.choice("action", ReminderWish.Act.self) ?? .subscribe
            if let problem = ReminderKey.problem(person: person), fields.problems.isEmpty {
                fields.note("to", "value", problem)
            }
            try fields.finish()
            let key = ReminderKey(topic: topic, person: person)
            return Line(number: number, wish: ReminderWish(act, key))
        } catch {
            let field = error.fields.first ?? .init("", error.code.rawValue, error.detail)
            return Line(number: number, problem: field)
        }
    }

    private mutating func work() async throws {
        guard !lines.isEmpty else { return }
        let limit = call.server.configuration.http.bulkItemsMax
        guard items <= limit else {
            throw Problem(
                .tooLarge,
                "The body has more than \(limit) lines; \(done) reminders before that were done."
            )
        }
        let answers: [ReminderAnswer]
        do {
            answers = try await call.server.reminders.take(
                lines.compactMap(\.wish),
                by: call.principal.name,
                isTold: false
            )
        } catch {
            failure = error
            let problem = Problem(from: error)
            let field = Problem.Field("", problem.code.rawValue, problem.detail)
            for line in lines { refuse(line, line.wish, line.problem ?? field) }
            lines.removeAll(keepingCapacity: true)
            return
        }
        var next = answers.makeIterator()
        for line in lines {
            if let wish = line.wish, let answer = next.next() {
                write(line, wish, answer)
            } else if let problem = line.problem {
                refuse(line, nil, problem)
            }
        }
        lines.removeAll(keepingCapacity: true)
    }

    private mutating func write(_ line: Line, _ wish: ReminderWish, _ result: ReminderAnswer) {
        if result == .unknownTopic {
            let detail = "there is no topic '\(wish.key.topic)'"
            return refuse(line, wish, .init("/topic", result.rawValue, detail))
        }
        done += 1
        let value: JSONValue = [
            "topic": .string(wish.key.topic), "to": .string(wish.key.person),
            "status": .string(result.rawValue),
        ]
        answer += value.bytes
        answer.append(UInt8(ascii: "\n"))
    }

    private mutating func refuse(_ line: Line, _ wish: ReminderWish?, _ problem: Problem.Field) {
        refused += 1
        let value: JSONValue = [
            "topic": .text(wish?.key.topic), "to": .text(wish?.key.person),
            "line": .count(line.number), "status": "error", "code": .string(problem.code),
            "pointer": .string(problem.pointer), "detail": .string(problem.detail),
        ]
        answer += value.bytes
        answer.append(UInt8(ascii: "\n"))
    }
}
