import BelfryCore
import BelfryMoving
import BelfrySimulation
import BelfryTimelineConformance

/// A seeded life of a timeline whose pushes are moved meanwhile, and its judge: what was accepted last and not cancelled is lent, once, and not before it is due.
struct MoveLife {
    private struct Version: Equatable {
        var payload: [UInt8]
        var due: Timestamp
    }

    private let timeline: MidMove
    private let clock: ManualClock
    private var random: SplitMix64
    /// What is to come, by id.
    private var pending: [PushID: Version] = [:]
    /// What a worker holds; and the newer version that waits behind it.
    private var held: [PushID: Claim] = [:]
    private var parked: [PushID: Version] = [:]
    private var cancelled: Set<PushID> = []
    private var made = 0
    /// How many were handed over.
    private(set) var sent = 0

    init(_ timeline: MidMove, clock: ManualClock, seed: UInt64) {
        self.timeline = timeline
        self.clock = clock
        random = SplitMix64(seed: seed)
    }

    /// Acts so often, and then sees everything to its end.
    mutating func run(acts: Int) async throws {
        for _ in 0..<acts {
            switch random.next() % 10 {
            case 0..<4: try await schedule()
            case 4: try await cancel()
            case 5, 6: try await claim()
            case 7, 8: try await settle()
            default: clock.advance(by: .seconds(Int64(random.next() % 5)))
            }
        }
        clock.advance(by: .seconds(100))
        while true {
            try await claim()
            if held.isEmpty { break }
            while !held.isEmpty { try await settle(.done) }
        }
        try expect(Array(pending.keys), [], "lost")
        try expect(try await timeline.counts(), TimelineCounts(), "left over")
    }

    private func id() -> PushID { PushID("p\(made % 40)") }

    private mutating func schedule() async throws {
        var pushes: [Push] = []
        for _ in 0...random.next() % 3 {
            made = Int(random.next() % 1_000_000)
            guard !pushes.contains(where: { $0.id == id() }) else { continue }
            pushes.append(
                Push(
                    id: id(),
                    recipient: Recipient(account: "a", person: "o\(made % 40 % 9)"),
                    due: clock.now() + .seconds(Int64(random.next() % 40)),
                    channel: "log",
                    payload: Array("\(random.next())".utf8)
                )
            )
        }
        let outcomes = try await timeline.schedule(pushes)
        for (push, outcome) in zip(pushes, outcomes) {
            let version = Version(payload: push.payload, due: push.due)
            let isHeld = held[push.id] != nil
            let isKnown = (isHeld ? parked : pending)[push.id] != nil
            let wanted: ScheduleOutcome =
                isHeld
                ? isKnown ? .parkedReplaced : .parked
                : isKnown ? .replaced : .accepted
            try expect(outcome, wanted, "scheduling \(push.id)")
            if isHeld { parked[push.id] = version } else { pending[push.id] = version }
        }
    }

    private mutating func cancel() async throws {
        made = Int(random.next() % 40)
        let outcome = try await timeline.cancel([id()])[0]
        let wanted: CancelOutcome =
            held[id()] != nil
            ? parked[id()] == nil ? .inFlight : .inFlightParked
            : pending[id()] == nil ? .gone : .cancelled
        try expect(outcome, wanted, "cancelling \(id())")
        pending[id()] = nil
        if held[id()] != nil {
            parked[id()] = nil
            cancelled.insert(id())
        }
    }

    private mutating func claim() async throws {
        let batch = try await timeline.claim(limit: Int(random.next() % 6) + 1, lease: .minutes(5))
        for claim in batch.claims {
            let id = claim.push.id
            try expect(held[id] == nil, "\(id) is lent twice")
            try expect(claim.push.due <= clock.now(), "\(id) is early")
            let found = Version(payload: claim.push.payload, due: claim.push.due)
            try expect(found, pending[id] ?? Version(payload: [], due: clock.now()), "\(id)")
            pending[id] = nil
            held[id] = claim
        }
    }

    private mutating func settle(_ wanted: Settlement.Result? = nil) async throws {
        let ids = held.keys.sorted { $0.text < $1.text }
        guard !ids.isEmpty else { return }
        let id = ids[Int(random.next() % UInt64(ids.count))]
        guard let claim = held.removeValue(forKey: id) else { return }
        let later = clock.now() + .seconds(Int64(random.next() % 30))
        let result =
            wanted ?? [.done, .retry(at: later), .hold(until: later)][Int(random.next() % 3)]
        let outcome = try await timeline.settle([Settlement(token: claim.token, result: result)])[0]
        let newer = parked.removeValue(forKey: id)
        let isCancelled = cancelled.remove(id) != nil
        try expect(
            outcome,
            newer != nil ? .settledParked : isCancelled ? .settledCancelled : .settled,
            "settling \(id)"
        )
        if let newer {
            pending[id] = newer
        } else if !isCancelled, result != .done {
            pending[id] = Version(payload: claim.push.payload, due: later)
        } else {
            sent += 1
        }
    }
}
