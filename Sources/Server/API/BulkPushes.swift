import BelfryCore
import HTTPTypes
import Hummingbird

/// `POST /v1/pushes:bulk`: NDJSON in, a result for each line out, in order.
///
/// The body is read as it comes and scheduled in chunks, each durable before the next; so the memory a request costs is its results
/// and one chunk. Lines that are wrong do not keep the others from being accepted. Sending the same body again is harmless.
struct BulkPushes {
    /// Enough for thousands of pushes in one journal write, and little enough to keep in a cache.
    static let chunkBytes = 256 * 1024

    private let call: Call
    private let limit: Int
    private var parser: BulkPushParser
    private var pending: [UInt8] = []
    private var answer: [UInt8] = []
    private var bytes = 0
    private var line = 0
    private var accepted = 0
    private var refused = 0
    private var failure: TimelineError?
    /// A line was longer than a chunk: nothing counts until it ends.
    private var isSkipping = false

    private init(_ call: Call) {
        self.call = call
        limit = call.server.configuration.http.bulkBytesMax
        let server = call.server
        parser = BulkPushParser(
            .init(
                now: server.clock.now(),
                channels: server.channels,
                isAccount: server.isAccount,
                channelProblem: server.channelProblem,
                payloadProblem: server.payloadProblem,
                unchecked: server.uncheckedChannels
            )
        )
        pending.reserveCapacity(2 * Self.chunkBytes)
    }

    static func respond(to call: Call, _ instruments: HTTPInstruments) async throws -> Response {
        try call.expectType("ndjson", "jsonl", "json-lines", "octet-stream", "text/plain")
        try await call.server.catchUp()
        var bulk = BulkPushes(call)
        try bulk.checkLength()
        do {
            for try await buffer in call.request.body { try await bulk.take(buffer) }
            try await bulk.finish()
        } catch {
            instruments.pushes(accepted: bulk.accepted, refused: bulk.refused)
            throw error
        }
        instruments.pushes(accepted: bulk.accepted, refused: bulk.refused)
        return try bulk.response()
    }

    private func checkLength() throws(Problem) {
        guard let text = call.request.headers[.contentLength], let length = Int(text) else {
            return
        }
        if length > limit {
            throw Problem(.tooLarge, "The body has \(length) bytes; at most \(limit) are allowed.")
        }
    }

    private mutating func take(_ buffer: ByteBuffer) async throws {
        bytes += buffer.readableBytes
        guard bytes <= limit else {
            throw Problem(
                .tooLarge,
                "The body has more than \(limit) bytes; \(accepted) pushes before that were accepted."
            )
        }
        buffer.withUnsafeReadableBytes { pending.append(contentsOf: $0) }
        while pending.count >= Self.chunkBytes { try await processChunk() }
    }

    private mutating func finish() async throws {
        while !pending.isEmpty {
            if pending.count >= Self.chunkBytes {
                try await processChunk()
            } else {
                try await process(pending.count)
            }
        }
    }

    /// Takes the whole lines of the first chunk.
    private mutating func processChunk() async throws {
        let end = pending.prefix(Self.chunkBytes).lastIndex(of: UInt8(ascii: "\n"))
        if let end {
            if isSkipping {
                skipToNewline()
            } else {
                try await process(end + 1)
            }
            return
        }
        // No end of line in a whole chunk: no push is that long.
        if !isSkipping {
            line += 1
            refused += 1
            report(
                0..<0,
                .init("", "length", "the line is longer than \(Self.chunkBytes) bytes")
            )
        }
        isSkipping = true
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func skipToNewline() {
        isSkipping = false
        let end = pending.firstIndex(of: UInt8(ascii: "\n")) ?? pending.count - 1
        pending.removeFirst(end + 1)
    }

    private mutating func process(_ count: Int) async throws {
        if isSkipping {
            skipToNewline()
            return
        }
        parser.removeAll()
        Self.read(pending, count, into: &parser)
        let outcomes = await schedule()
        write(outcomes)
        pending.removeFirst(count)
    }

    private static func read(_ bytes: [UInt8], _ count: Int, into parser: inout BulkPushParser) {
        parser.read(bytes.span.extracting(first: count))
    }

    /// - Returns: `nil` where the timeline took none of them.
    private mutating func schedule() async -> [ScheduleOutcome]? {
        guard !parser.batch.isEmpty else { return [] }
        guard line + parser.lines.count <= call.server.configuration.http.bulkItemsMax else {
            failure = TimelineError(.invalid, "too many lines in one request")
            return nil
        }
        do {
            let outcomes = try await call.server.timeline.schedule(parser.batch)
            call.server.recordReplaced(parser.batch, outcomes)
            await call.server.recordMerged(parser.batch.pushes(outcomes, that: { $0 == .merged }))
            return outcomes
        } catch {
            failure = error
            return nil
        }
    }

    private mutating func write(_ outcomes: [ScheduleOutcome]?) {
        var next = 0
        answer.reserveCapacity(answer.count + parser.lines.count * 64)
        let before = line
        defer { line = before + parser.lineCount }
        for entry in parser.lines {
            line = before + entry.number
            if let problem = entry.problem {
                refused += 1
                report(entry.id, problem)
                continue
            }
            guard let outcomes else {
                refused += 1
                let code = Problem(from: failure ?? TimelineError(.io, "")).code.rawValue
                report(entry.id, .init("", code, failure?.message ?? ""))
                continue
            }
            let outcome = outcomes[next]
            next += 1
            if outcome == .refusedTooFar {
                refused += 1
                report(entry.id, .init("/due", "too_far", API.tooFar))
            } else {
                accepted += 1
                put(entry.id)
                answer.append(contentsOf: outcome.line.utf8)
            }
        }
    }

    private mutating func put(_ id: Range<Int>) {
        answer.append(contentsOf: "{\"id\":".utf8)
        if id.isEmpty {
            answer.append(contentsOf: "null".utf8)
        } else {
            answer.append(contentsOf: pending[id])
        }
    }

    private mutating func report(_ id: Range<Int>, _ problem: Problem.Field) {
        put(id)
        let rest: JSONValue = [
            "line": .count(line), "status": "error", "code": .string(problem.code),
            "pointer": .string(problem.pointer), "detail": .string(problem.detail),
        ]
        answer.append(UInt8(ascii: ","))
        answer.append(contentsOf: rest.bytes.dropFirst())
        answer.append(UInt8(ascii: "\n"))
    }

    /// 200 where all was accepted, 207 where some was; the timeline's own failure where nothing was.
    private func response() throws -> Response {
        if accepted == 0, let failure, failure.code != .invalid { throw failure }
        return .bytes(
            answer,
            type: "application/x-ndjson",
            status: refused == 0 ? .ok : .init(code: 207, reasonPhrase: "Multi-Status")
        )
    }
}

extension ScheduleOutcome {
    /// What follows the id in a result.
    fileprivate var line: String {
        switch self {
        case .accepted: ",\"status\":\"accepted\"}\n"
        case .replaced: ",\"status\":\"replaced\"}\n"
        case .parked, .parkedReplaced: ",\"status\":\"parked\"}\n"
        case .merged: ",\"status\":\"merged\"}\n"
        case .refusedTooFar: ",\"status\":\"error\"}\n"
        }
    }
}
