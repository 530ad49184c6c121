import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import BelfryTestSupport
import Foundation
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization

/// A server without sockets, timeline on disk or records: what the HTTP side does by itself.
struct ServerFixture {
    let clock = ManualClock()
    let timeline: FakeTimeline
    var dependencies: ServerDependencies
    let adminKey: APIKey
    let readKey: APIKey

    /// The folder of the records; goes with the fixture.
    private let folder: TemporaryFolder

    init(auth: ServerConfiguration.Auth = .keys) async throws {
        var generator = SplitMix64(seed: 7)
        let adminKey = APIKey.make(using: &generator)
        let readKey = APIKey.make(using: &generator)
        self.adminKey = adminKey
        self.readKey = readKey
        let folder = TemporaryFolder()
        self.folder = folder
        let records = try await Records.open(
            path: folder.path + "/records.sqlite",
            clock: clock,
            secretKey: Array(repeating: 7, count: 32)
        )
        for (scope, key) in [("admin", adminKey), ("read", readKey)] {
            try await records.keys.add(
                KeyRecord(
                    id: key.id,
                    name: scope,
                    key: Secret(key.text),
                    scopes: [scope],
                    created: clock.now()
                )
            )
        }
        let timeline = FakeTimeline(clock: clock)
        self.timeline = timeline
        var configuration = ServerConfiguration()
        configuration.http.auth = auth
        configuration.http.accessLog = false
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        dependencies = ServerDependencies(
            configuration: configuration,
            timeline: timeline,
            records: records,
            clock: clock,
            logger: logger,
            registry: PrometheusRegistry(),
            keys: StoredKeys(records: records, clock: clock),
            reading: {
                DeliveryReading(
                    dueNow: 3,
                    inFlight: 2,
                    latenessP99: .milliseconds(4),
                    sentLastMinute: 9
                )
            },
            feed: LiveFeed(),
            callback: { request in
                CallbackAnswer(status: 200, body: Array(request.account.utf8))
            },
            report: { event in ReportedAnswer(pushes: [PushID("flow/\(event.flow ?? "-")")]) },
            accounts: AccountBook(records: records),
            channels: ["log", "wechat"],
            isAccount: { $0 == "shop" },
            payloadProblem: { channel, _ in channel == "wechat" ? "is no message" : nil },
            uncheckedChannels: ["log"],
            version: "test"
        )
    }

    /// Sends one request through the router, without sockets.
    func send(
        _ method: HTTPRequest.Method,
        _ uri: String,
        _ body: String? = nil,
        key: APIKey? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        var headers = headers
        if let key { headers[.authorization] = "Bearer \(key.text)" }
        let sent = headers
        let response = try await buildApplication(dependencies).test(.router) { client in
            try await client.execute(
                uri: uri,
                method: method,
                headers: sent,
                body: body.map { ByteBuffer(string: $0) }
            )
        }
        return Answer(
            status: response.status.code,
            headers: response.headers,
            text: String(buffer: response.body)
        )
    }

    /// As ``send``, with the admin key.
    func admin(
        _ method: HTTPRequest.Method,
        _ uri: String,
        _ body: String? = nil,
        headers: HTTPFields = [:]
    ) async throws -> Answer {
        try await send(method, uri, body, key: adminKey, headers: headers)
    }
}

struct Answer {
    var status: Int
    var headers: HTTPFields
    var text: String

    /// Null where the text is no JSON.
    var json: JSONValue { JSONValue.parse(text) ?? .null }
    /// The pointers of a problem.
    var pointers: [String] { json["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? [] }
    var code: String? { json["code"]?.string }
}

/// Remembers pushes by id, merges as far as to say so, and can be told to be full.
final class FakeTimeline: Timeline {
    private struct State {
        var pushes: [PushID: Push] = [:]
        var lent: Set<PushID> = []
        var held: [PushID: Timestamp] = [:]
        var failure: TimelineError?
        var batches: [Int] = []
        var asked = 0
    }

    let clock: ManualClock
    private let state = Mutex(State())

    init(clock: ManualClock) { self.clock = clock }

    var pushes: [PushID: Push] { state.withLock { $0.pushes } }
    var batches: [Int] { state.withLock { $0.batches } }
    /// How many ids were looked up.
    var asked: Int { state.withLock { $0.asked } }
    /// What is pending under this id is in flight from now on; what is scheduled waits behind it.
    func lend(_ id: PushID) {
        state.withLock { state in
            state.pushes[id] = nil
            state.lent.insert(id)
        }
    }
    /// Shows a push as put off until a later time.
    func hold(_ id: PushID, until: Timestamp) { state.withLock { $0.held[id] = until } }
    func fail(with error: TimelineError?) { state.withLock { $0.failure = error } }

    func schedule(_ batch: PushBatch) async throws(TimelineError) -> [ScheduleOutcome] {
        let now = clock.now()
        let result: Result<[ScheduleOutcome], TimelineError> = state.withLock { state in
            if let failure = state.failure { return .failure(failure) }
            state.batches.append(batch.count)
            var outcomes: [ScheduleOutcome] = []
            var offset = 0
            let span = batch.bytes.span
            while let record = PushRecord(span, at: offset) {
                offset += record.length
                let push = record.push(in: span)
                if push.due > now + PushLimits.horizon {
                    outcomes.append(.refusedTooFar)
                } else if let key = push.merge?.key, state.pushes[push.id] == nil,
                    state.pushes.values.contains(where: {
                        $0.merge?.key == key && $0.recipient == push.recipient
                    })
                {
                    outcomes.append(.merged)
                } else {
                    let isNew = state.pushes.updateValue(push, forKey: push.id) == nil
                    outcomes.append(
                        state.lent.contains(push.id)
                            ? isNew ? .parked : .parkedReplaced
                            : isNew ? .accepted : .replaced
                    )
                }
            }
            return .success(outcomes)
        }
        return try result.get()
    }

    func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        state.withLock { state in
            ids.map { id in
                let isKnown = state.pushes.removeValue(forKey: id) != nil
                return state.lent.contains(id)
                    ? isKnown ? .inFlightParked : .inFlight
                    : isKnown ? .cancelled : .gone
            }
        }
    }

    func find(_ ids: [PushID]) async throws(TimelineError) -> [Pending?] {
        let now = clock.now()
        return state.withLock { state in
            state.asked += ids.count
            return ids.map { id in
                let known: Pending.State = state.lent.contains(id) ? .parked : .scheduled
                return state.pushes[id].map { push in
                    var pending = Pending(
                        push: push,
                        state: known,
                        sequence: 1,
                        attempt: 0,
                        accepted: now
                    )
                    pending.push.due = state.held[id] ?? push.due
                    return pending
                }
            }
        }
    }

    func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        ClaimBatch(claims: [], now: clock.now(), nextDue: nil)
    }

    func settle(_ settlements: [Settlement]) async throws(TimelineError) -> [SettleOutcome] { [] }

    func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    { [] }

    func nextDue() async throws(TimelineError) -> Timestamp? {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        return nil
    }

    func forecast(from: Timestamp, to: Timestamp, bucket: Duration) async throws(TimelineError)
        -> [Int]
    {
        let buckets = Int((to - from).milliseconds / bucket.milliseconds)
        return (0..<buckets).map { $0 }
    }

    func counts() async throws(TimelineError) -> TimelineCounts {
        TimelineCounts(scheduled: state.withLock { $0.pushes.count })
    }
}

/// A few requests to one application, so that what it remembers is there for the next.
struct Session {
    let client: any TestClientProtocol

    func get(_ uri: String, _ headers: HTTPFields = [:]) async throws -> TestResponse {
        try await client.execute(uri: uri, method: .get, headers: headers)
    }

    func post(_ uri: String, _ body: String, _ headers: HTTPFields = [:]) async throws
        -> TestResponse
    {
        try await client.execute(
            uri: uri,
            method: .post,
            headers: headers,
            body: ByteBuffer(string: body)
        )
    }
}

extension ApplicationProtocol {
    func testSession<Value>(_ test: @Sendable (Session) async throws -> Value) async throws -> Value
    {
        try await self.test(.router) { try await test(Session(client: $0)) }
    }
}
