import BelfryCore
import BelfrySimulation
import Synchronization

/// A small worker on a timeline and an alarm, while a client schedules and cancels by a seed. The clock stands still while either acts.
struct WorkerLife: Sendable {
    static let sweep = Duration.seconds(30)

    private let it: TimelineFixture
    private let seed: UInt64
    private let sent = Sent()

    /// What the worker was lent, and when.
    private final class Sent: Sendable {
        let claims = Mutex<[(id: PushID, due: Timestamp, at: Timestamp)]>([])
    }

    init(_ fixture: TimelineFixture, seed: UInt64) {
        it = fixture
        self.seed = seed
    }

    func run(with alarm: some Alarm) async throws {
        let (looks, looked) = AsyncStream.makeStream(of: Timestamp.self)
        let wanted = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { looked.finish() }
                try await work(alarm) { looked.yield($0) }
            }
            let wanted = try await use(looks)
            group.cancelAll()
            try await group.waitForAll()
            return wanted
        }
        try judge(wanted)
    }

    // MARK: The worker

    private func work(_ alarm: some Alarm, looked: (Timestamp) -> Void) async throws {
        while !Task.isCancelled {
            let batch = try await it.timeline.claim(limit: 100, lease: .minutes(1))
            sent.claims.withLock { claims in
                claims += batch.claims.map { ($0.push.id, $0.push.due, batch.now) }
            }
            let settlements = batch.claims.map { Settlement(token: $0.token, result: .done) }
            _ = try await it.timeline.settle(settlements)
            if let next = batch.nextDue, next <= batch.now { continue }
            looked(batch.now)
            await wait(alarm, batch)
        }
    }

    /// For the alarm, or for the sweep.
    private func wait(_ alarm: some Alarm, _ batch: ClaimBatch) async {
        await withTaskGroup(of: Void.self) { group in
            // Whoever comes second is cancelled: that is how it ends, and no failure.
            group.addTask { try? await alarm.wait(nextDue: batch.nextDue) }
            group.addTask { try? await it.clock.sleep(until: batch.now + Self.sweep) }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: The client, who also moves the clock

    /// - Returns: when each push is due that was accepted and not cancelled in time.
    private func use(_ looks: AsyncStream<Timestamp>) async throws -> [PushID: Timestamp] {
        var random = SplitMix64(seed: seed)
        var looks = looks.makeAsyncIterator()
        var lastLook = await looks.next(isolation: #isolation) ?? it.now
        var wanted: [PushID: Timestamp] = [:]
        for step in 0..<60 {
            for number in 0..<Int.random(in: 0...4, using: &random) {
                let id = PushID("\(step)/\(number)")
                let push = it.push(id, in: .random(in: 0...150, using: &random))
                try await it.schedule(push)
                wanted[id] = push.due
            }
            if Bool.random(using: &random),
                let id = wanted.keys.sorted(by: { $0.text < $1.text }).randomElement(using: &random)
            {
                let outcome = try await it.timeline.cancel([id])[0]
                if outcome == .cancelled { wanted[id] = nil }
            }
            try await pass(.random(in: 0...40, using: &random), &looks, &lastLook)
        }
        try await pass(200, &looks, &lastLook)
        return wanted
    }

    /// Time passes, but not past a sweep before the worker has looked.
    private func pass(
        _ seconds: Int64,
        _ looks: inout AsyncStream<Timestamp>.AsyncIterator,
        _ lastLook: inout Timestamp
    ) async throws {
        let end = it.now + .seconds(seconds)
        while it.now < end {
            it.clock.set(min(end, max(it.now, lastLook + Self.sweep)))
            while lastLook + Self.sweep <= it.now {
                guard let look = await looks.next(isolation: #isolation) else { return }
                lastLook = look
            }
        }
    }

    // MARK: The judge

    private func judge(_ wanted: [PushID: Timestamp]) throws {
        let claims = sent.claims.withLock { $0 }
        let ids = claims.map(\.id)
        let said = "seed \(seed)"
        try expect(ids.count, Set(ids).count, "\(said): sent twice")
        try expect(Set(wanted.keys).subtracting(ids), [], "\(said): lost")
        try expect(Set(ids).subtracting(wanted.keys), [], "\(said): sent after its cancel")
        for claim in claims {
            try expect(claim.at >= claim.due, "\(said): \(claim.id.text) was early")
            let late = claim.at - claim.due
            try expect(late <= Self.sweep, "\(said): \(claim.id.text) was \(late) late")
        }
        try expect(ids.count > 60, "\(said): a life too short to prove anything")
    }
}
