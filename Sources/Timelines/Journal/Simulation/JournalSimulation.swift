import BelfryCore

/// One seeded life of a lane on a simulated disk and clock, judged after every step by ``SimulationModel``.
///
/// Everything random comes from the seed, and nothing runs beside it, so that a failing seed replays exactly. In the manner of FoundationDB's and
/// TigerBeetle's simulators.
package struct JournalSimulation: ~Copyable {
    /// Which faults there are.
    package enum Mode: String, Sendable, CaseIterable {
        /// Power cuts, input/output errors, full disks, flipped bits, jumping clocks: nothing acknowledged may be lost or wrong (safety).
        case safety
        /// In the end the faults stop: everything that is due must then go out (liveness).
        case liveness
    }

    let seed: UInt64
    let mode: Mode
    var random: SplitMix64
    var disk: SimulatedDisk
    var lane: Lane<SimulatedDisk>
    let limits: JournalConfiguration
    var now: Int64 = 1_800_000_000_000
    var steady: Int64 = 0
    var model = SimulationModel()
    /// What was acknowledged; and what each call since would add if it reached the disk.
    var acknowledged: [String: SimulationModel.Entry] = [:]
    var since: [[String: SimulationModel.Entry]] = []
    /// The states before and within the group that was acknowledged last. Damage there cannot be told from a torn write.
    var lastGroup: [[String: SimulationModel.Entry]] = []
    /// Tokens that are no good any more.
    var stale: [ClaimToken] = []
    var serial = 0
    var step = 0
    /// A flipped bit is somewhere: damage may be reported from now on, but must never be taken for truth.
    var isDamaged = false
    /// Bytes that calls which end pushes may surely still journal, however full the disk is: a schedule that was accepted has seen to them.
    var headroom = 0
    /// What was done, for whoever looks into a failure.
    var history: [String] = []

    /// Lives one life.
    ///
    /// - Throws: ``SimulationFailure`` naming seed, step and broken promise.
    package static func run(
        seed: UInt64,
        mode: Mode = .safety,
        steps: Int = 80,
        mutation: Mutation? = nil
    ) throws(SimulationFailure) {
        var life = try JournalSimulation(seed: seed, mode: mode, mutation)
        try life.live(steps: steps)
    }

    private init(seed: UInt64, mode: Mode, _ mutation: Mutation?) throws(SimulationFailure) {
        self.seed = seed
        self.mode = mode
        random = SplitMix64(seed: seed)
        limits = Self.limits(&random, mutation)
        disk = SimulatedDisk()
        switch mutation {
        case .skipsJournalSync: disk.skipSync(of: "journal")
        case .trustsRunsUnsynced: disk.skipSync(of: "run")
        default: break
        }
        do throws(TimelineError) {
            lane = try Lane.open(
                disk,
                limits: limits,
                at: Moment(now: now, steady: steady),
                generation: 1
            )
        } catch {
            throw SimulationFailure(seed: seed, step: 0, problem: "\(error)", history: [])
        }
    }

    /// Small, so that much happens in a short life.
    private static func limits(_ random: inout SplitMix64, _ mutation: Mutation?)
        -> JournalConfiguration
    {
        var limits = JournalConfiguration()
        limits.checkpointBytes = .max
        limits.sliceBytes = [150, 1000, 1 << 20].randomElement(using: &random) ?? 1000
        limits.nearWindow = .seconds([0, 20, 300].randomElement(using: &random) ?? 0)
        limits.farWindow =
            limits.nearWindow
            + .seconds([0, 60, 3000].randomElement(using: &random) ?? 0)
        limits.lookAhead = .seconds([0, 5, 500].randomElement(using: &random) ?? 0)
        limits.adoptedPushes = [1, 3, 8192].randomElement(using: &random) ?? 3
        limits.blockBytes = [200, 700, 4000].randomElement(using: &random) ?? 700
        limits.headroomBytes = 6000
        limits.reserveStepBytes = 3000
        limits.mutation = mutation
        return limits
    }

    private mutating func live(steps: Int) throws(SimulationFailure) {
        while step < steps {
            step += 1
            do throws(TimelineError) {
                try act()
                if isDamaged, try judgeDamage() { return }
                try check()
            } catch {
                try fell(error)
            }
            if isDamaged, step > 5, Int.random(in: 0..<8, using: &random) == 0 { return }
        }
        if mode == .liveness { try drain() }
    }

    var moment: Moment { Moment(now: now, steady: steady) }

    // MARK: Judging

    func expect(_ holds: Bool, _ promise: @autoclosure () -> String) throws(TimelineError) {
        if !holds { throw TimelineError(.invalid, "broken: \(promise())") }
    }

    mutating func note(_ words: String) { history.append(words) }

    /// An error that the world explains is an event; anything else is a failure.
    private mutating func fell(_ error: TimelineError) throws(SimulationFailure) {
        if error.message.hasPrefix("broken: ") { throw failure(error.message) }
        switch error.code {
        case .corrupt where isDamaged: step = .max - 1
        case .io where disk.isOff: try restart()
        case _ where lane.broken != nil: try startAgain()
        case .io, .full: break
        default: throw failure("\(error.code): \(error.message)")
        }
    }

    func failure(_ problem: String) -> SimulationFailure {
        SimulationFailure(seed: seed, step: step, problem: problem, history: history)
    }

    /// Everything that can be looked at agrees with the model.
    private mutating func check() throws(TimelineError) {
        model.advance(steady: steady)
        lane.advance(to: moment)
        let count = model.pending.count + model.held.count
        try expect(lane.pending == count, "\(lane.pending) are pending, not \(count)")
        let due = lane.nextDue(at: moment)?.milliseconds
        let next = model.next(now: now, steady: steady, deferring: lane.deferral)
        try expect((due == nil) == (next == nil), "T12: next due \(due ?? -1), not \(next ?? -1)")
        if let due, let next {
            try expect(due <= next, "T12: sleeps until \(due), past \(next)")
        }
        guard step % 4 == 0 else { return }
        for name in Self.names { try check(name) }
    }

    private mutating func check(_ name: String) throws(TimelineError) {
        let found = try lane.find(PushID(name))
        let held = model.held[name]
        let wanted = held.map { $0.newer ?? $0.entry } ?? model.pending[name]
        guard let found, let wanted else {
            return try expect(found == nil && wanted == nil, "\(name): found, or not, but wrong")
        }
        try expect(Self.serial(found.push) == wanted.serial, "\(name): the wrong version")
        try expect(found.push.due.milliseconds == wanted.due, "\(name): the wrong due time")
        try expect(found.attempt == wanted.attempt, "\(name): the wrong attempt")
        let state: Pending.State =
            switch held {
            case nil: .scheduled
            case let held? where held.newer != nil: .parked
            case let held?: held.isCancelled ? .cancelling : .inFlight
            }
        try expect(found.state == state, "\(name): \(found.state), not \(state)")
    }

    static let names = (0..<24).map { "p\($0)" }

    static func serial(_ push: Push) -> Int { serial(push.payload) }

    static func serial(_ payload: [UInt8]) -> Int {
        Int(String(decoding: payload.prefix { $0 != 0x20 }, as: UTF8.self)) ?? -1
    }
}

/// A promise that was broken, and how to see it again.
package struct SimulationFailure: Error, Sendable, CustomStringConvertible {
    package var seed: UInt64
    package var step: Int
    package var problem: String
    package var history: [String]

    package var description: String {
        "seed \(seed), step \(step): \(problem)\n  " + history.suffix(12).joined(separator: "\n  ")
    }
}
