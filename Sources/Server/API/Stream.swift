import BelfryCore
import HTTPTypes
import Hummingbird
import Synchronization

/// `GET /v1/stream`: what happens, as server-sent events.
extension API {
    /// How often numbers go out, and so how soon a reader that went away is noticed.
    static let tick = Duration.seconds(1)

    var stream: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/stream",
                access: .scope(.read),
                operation: Operation(
                    id: "stream",
                    summary: "Server-sent events: stats each second, deliveries, accounts, clicks.",
                    tag: "stream",
                    query: [
                        .init("topics", "string", "Comma-separated; stats,delivery unless given."),
                        .init("account", "string", "Only of this account."),
                        .init("to", "string", "Only of this person."),
                        .init("after", "string", "The id of the last event that was seen."),
                    ],
                    answer: "Text",
                    answerType: "text/event-stream"
                )
            ) { call in try eventStream(call) }
        ]
    }

    private static let topics = ["stats", "delivery", "person", "account", "click"]

    private struct Filter: Sendable {
        var topics: Set<String>
        var account: String?
        var person: String?

        func passes(_ event: LiveEvent) -> Bool {
            topics.contains(event.topic) && (account.map { $0 == event.account } ?? true)
                && (person.map { $0 == event.person } ?? true)
        }
    }

    private func eventStream(_ call: Call) throws(Problem) -> Response {
        let wanted = (call.query("topics") ?? "stats,delivery").split(separator: ",").map(
            String.init
        )
        if let unknown = wanted.first(where: { !Self.topics.contains($0) }) {
            let known = Self.topics.joined(separator: ", ")
            throw .invalid("?topics", "'\(unknown.prefix(100))' is none of \(known)")
        }
        let filter = Filter(
            topics: Set(wanted),
            account: call.query("account"),
            person: call.query("to")
        )
        let last = (call.request.headers[.lastEventID] ?? call.query("after")).flatMap {
            UInt64($0)
        }
        guard let events = server.feed.listen(after: last) else {
            throw Problem(.tooMany, "Too many streams are open.", retryAfter: 10)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store",
                .xAccelBuffering: "no",
            ],
            body: ResponseBody { writer in
                try await write(events, filter, to: &writer)
            }
        )
    }

    /// Writes until the reader goes away or the server stops. A slow reader loses the oldest lines, never our memory.
    @concurrent
    private func write(
        _ events: AsyncStream<LiveFeed.Numbered>,
        _ filter: Filter,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        let (lines, sink) = AsyncStream<String>
            .makeStream(bufferingPolicy: .bufferingNewest(LiveFeed.bufferMax))
        sink.yield("retry: 3000\n\n")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await numbered in events where filter.passes(numbered.event) {
                    let event = numbered.event
                    sink.yield(
                        "id: \(numbered.id)\nevent: \(event.topic)\ndata: \(event.data.text)\n\n"
                    )
                }
                sink.finish()
            }
            group.addTask { await tick(into: sink, stats: filter.topics.contains("stats")) }
            for await line in lines { try await writer.write(ByteBuffer(string: line)) }
            group.cancelAll()
        }
        try await writer.finish(nil)
    }

    /// Numbers each second, or a comment, so that both sides see that the other is there.
    private func tick(into sink: AsyncStream<String>.Continuation, stats wanted: Bool) async {
        while !Task.isCancelled {
            if wanted, let stats = try? await snapshot() {
                sink.yield("event: stats\ndata: \(stats.text)\n\n")
            } else {
                sink.yield(": here\n\n")
            }
            do { try await server.clock.sleep(for: Self.tick) } catch { return }
        }
    }

    private func snapshot() async throws -> JSONValue {
        let now = server.clock.now()
        if let known = latest.find(at: now) { return known }
        let fresh = try await stats()
        latest.keep(fresh, at: now)
        return fresh
    }
}

/// The newest stats, so that they are computed at most once a second however many watch.
final class NewestStats: Sendable {
    private let newest = Mutex<(at: Timestamp, stats: JSONValue)?>(nil)

    func find(at now: Timestamp) -> JSONValue? {
        newest.withLock { newest in
            guard let newest, newest.at > now - API.tick, newest.at <= now else { return nil }
            return newest.stats
        }
    }

    func keep(_ stats: JSONValue, at now: Timestamp) { newest.withLock { $0 = (now, stats) } }
}

extension HTTPField.Name {
    static let lastEventID = HTTPField.Name.named("Last-Event-ID")
}
