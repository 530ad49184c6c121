import BelfryCore
import DequeModule

/// One account: what waits for it here, what it may do, and what it has done.
struct Lane {
    let account: String
    private(set) var limit: AccountLimit
    /// When the limit was looked up.
    private(set) var limitSeen: Timestamp
    private var bucket: TokenBucket?
    /// One queue for each band.
    private var bands: [Deque<Parcel>] = Array(repeating: [], count: Desk.bands)
    /// How many messages are left of the turn that it has in a band.
    private(set) var turns = [Int](repeating: 0, count: Desk.bands)
    private(set) var waiting = 0
    /// Messages under way.
    private(set) var sending = 0
    private(set) var shipments = 0
    /// What the account's concurrency bounds: shipments under way to channels that take many messages in one call, and messages under way to others.
    private(set) var calls = 0
    /// Set by a channel that stopped the account, or by an operator; ends with ``Dispatcher/resume(_:)``.
    var stop: Pause?
    /// When it was last looked at, its own rate or concurrency let nothing go.
    var isLimited = false
    /// When the pause began that is in force; `nil` when none is.
    private var pausedSince: Timestamp?
    /// Up to when pushes that were put back have been given their turn, in milliseconds since 1970.
    private var booked = 0.0
    /// Messages a second that arrived of late, and how it is found out: so many since then.
    private var pace: Double?
    private var measured: (since: Timestamp, count: Int)?
    private var today: (day: Int, handed: Int)?
    /// In which of the desk's rings it stands.
    private(set) var rings = [Bool](repeating: false, count: Desk.bands)
    /// Its place among the desk's lanes with something waiting; `nil`: it stands in no ring.
    var place: Int?

    init(_ account: String, _ limit: AccountLimit, now: Timestamp) {
        self.account = account
        self.limit = limit
        limitSeen = now
        bucket = limit.rate.map { TokenBucket($0, now: now) }
    }

    mutating func set(_ new: AccountLimit, now: Timestamp) {
        limitSeen = now
        guard new != limit else { return }
        if new.rate != limit.rate {
            if let rate = new.rate {
                if bucket == nil { bucket = TokenBucket(rate, now: now) }
                bucket?.set(rate, now: now)
            } else {
                bucket = nil
            }
            booked = 0
        }
        limit = new
    }

    // MARK: Pause

    /// The pause in force; keeps count of how long it has lasted.
    mutating func pause(_ now: Timestamp) -> Pause? {
        let pause = stop ?? limit.pause.flatMap { ($0.until ?? .distantFuture) > now ? $0 : nil }
        if pause == nil {
            pausedSince = nil
        } else if pausedSince == nil {
            pausedSince = now
        }
        return pause
    }

    /// When a push that meets the pause comes again: after a quarter of the time it has lasted so far, 1 to 60 seconds, with jitter. So
    /// a short pause costs little lateness and a long one little work.
    func lookAgain(
        _ pause: Pause,
        _ now: Timestamp,
        using random: inout some RandomNumberGenerator
    ) -> Timestamp {
        let age = pausedSince.map { (now - $0).milliseconds } ?? 0
        let span = min(max(age / 4, 1_000), 60_000)
        let again = now + .milliseconds(Int64.random(in: span / 2...span, using: &random))
        return pause.until.map { min($0, again) } ?? again
    }

    // MARK: Quota

    /// How many messages the day still allows, those that wait here counted in; `nil`: any number.
    func quotaLeft() -> Int? {
        guard let quota = limit.quota else { return nil }
        let handed = today?.day == quota.day ? today?.handed ?? 0 : 0
        return max(0, quota.messages - quota.usedBefore - handed - waiting)
    }

    private mutating func countHanded(_ count: Int) {
        guard let quota = limit.quota else { return }
        if today?.day != quota.day {
            // What was handed over before this process began counts for the day on which it began.
            today = (quota.day, 0)
        }
        today?.handed += count
    }

    // MARK: Rate

    /// How many parcels may wait here: what goes out within two seconds. The rest waits in the timeline, where it costs no memory and no lease.
    private func room(_ perCall: Int) -> Int {
        var room = Int.max
        if let rate = limit.rate {
            room = max(8, Int(min(rate.perSecond * 2, 1e9)), min(rate.burst, 1_000))
        }
        if let concurrency = limit.concurrency {
            room = min(room, max(8, concurrency * perCall * 4, Int((pace ?? 0) * 2)))
        }
        return room
    }

    /// - Parameter perCall: how many messages of the channel in question one call carries.
    func hasRoom(within capacity: Int, perCall: Int) -> Bool {
        waiting < min(room(perCall), max(1, capacity))
    }

    /// The turn of a push that finds no room: as many turns are given a second as messages go out, so that whoever comes back finds
    /// a token. At most two minutes ahead, since limits change.
    mutating func book(_ now: Timestamp, using random: inout some RandomNumberGenerator)
        -> Timestamp
    {
        // Nothing is known yet of an account that has filled its room: a guess. Twice what went out of late, or it could never become
        // more; who comes too early for it is put back once more.
        let expected = max((pace ?? 5_000) * 2, 1)
        let present = Double(now.milliseconds)
        let step =
            1000 / min(limit.rate.map { max($0.perSecond, 1.0 / 3600) } ?? .infinity, expected)
        // Those who wait here go first.
        let earliest = present + Double(waiting + sending) * step
        let turn = max(booked + step, earliest)
        guard turn - present < 120_000 else {
            return now + .milliseconds(Int64.random(in: 60_000...120_000, using: &random))
        }
        booked = turn
        return Timestamp(milliseconds: Int64(turn.rounded(.up)))
    }

    /// A shipment came back: messages were sent, or not, at this pace.
    mutating func arrived(_ count: Int, calls ended: Int, _ now: Timestamp) {
        sending -= count
        shipments -= 1
        calls -= ended
        let since = measured?.since ?? now
        let total = (measured?.count ?? 0) + count
        let milliseconds = (now - since).milliseconds
        guard milliseconds >= 500 || milliseconds < 0 else {
            measured = (since, total)
            return
        }
        measured = (now, 0)
        guard milliseconds > 0, milliseconds < 60_000 else { return }
        let seen = Double(total) / Double(milliseconds) * 1000
        pace = pace.map { ($0 + seen) / 2 } ?? seen
    }

    // MARK: Waiting

    mutating func append(_ parcel: Parcel, band: Int) {
        bands[band].append(parcel)
        waiting += 1
    }

    func waiting(in band: Int) -> Int { bands[band].count }

    /// Where the first of a band goes.
    func channel(in band: Int) -> String? { bands[band].first?.channel }

    /// When the first of a band that waits was due; the order is that of arrival, so that this is about the earliest.
    func due(in band: Int) -> Timestamp? { bands[band].first?.claim.push.due }

    /// Moves the first of each band, and those behind them, to the higher ones that they belong in by now.
    mutating func age(_ belongs: (Push) -> Int) {
        for band in bands.indices.dropFirst() {
            while let first = bands[band].first, case let own = belongs(first.claim.push),
                own < band
            {
                bands[own].append(bands[band].removeFirst())
            }
        }
    }

    // MARK: Turns

    mutating func enter(ring band: Int) { rings[band] = true }

    mutating func leave(ring band: Int) {
        rings[band] = false
        turns[band] = 0
    }

    /// Begins a turn, unless it is in one.
    ///
    /// - Parameter quantum: messages in a turn of an account of weight 1.
    mutating func beginTurn(in band: Int, quantum: Int) {
        if turns[band] == 0 { turns[band] = quantum * max(1, limit.weight) }
    }

    /// What it could not use is lost: a blocked account saves nothing up.
    mutating func endTurn(in band: Int) { turns[band] = 0 }

    /// Removes the last parcel of the lowest band, if that is below `band`.
    mutating func yield(to own: Int) -> Parcel? {
        for band in bands.indices.reversed() where band > own {
            if let parcel = bands[band].popLast() {
                waiting -= 1
                return parcel
            }
        }
        return nil
    }

    /// How many may go now.
    ///
    /// - Parameter isOneCall: they go in one call.
    mutating func allowance(_ now: Timestamp, isOneCall: Bool) -> Int {
        var count = waiting
        if let left = limit.concurrency.map({ $0 - calls }) {
            count = left > 0 && isOneCall ? count : min(count, left)
        }
        if var tokens = bucket {
            count = min(count, tokens.available(now))
            bucket = tokens
        }
        return max(0, count)
    }

    /// When tokens are the only thing that is missing: the time when it is worth while to look again.
    func nextTokens() -> Timestamp? {
        guard let bucket, waiting > 0, calls < (limit.concurrency ?? .max) else { return nil }
        // At high rates, a few at a time: no more than two hundred looks a second.
        let few = max(1, Int(min(bucket.perMillisecond * 5, Double(waiting))))
        return bucket.time(for: few)
    }

    /// Takes up to `count` parcels of a band for one channel; turn, tokens, quota and calls are counted.
    mutating func load(_ count: Int, band: Int, isOneCall: Bool) -> [Parcel] {
        var parcels: [Parcel] = []
        parcels.reserveCapacity(count)
        while parcels.count < count, let next = bands[band].first {
            if let first = parcels.first, first.channel != next.channel { break }
            parcels.append(bands[band].removeFirst())
        }
        turns[band] = bands[band].isEmpty ? 0 : turns[band] - parcels.count
        waiting -= parcels.count
        sending += parcels.count
        shipments += 1
        calls += isOneCall ? 1 : parcels.count
        bucket?.take(parcels.count)
        countHanded(parcels.count)
        return parcels
    }

    /// Takes out whatever waits.
    mutating func empty() -> [Parcel] {
        let parcels = bands.flatMap { $0 }
        for band in bands.indices { bands[band].removeAll() }
        waiting = 0
        return parcels
    }

    /// Takes out whatever waits for one channel.
    mutating func remove(to channel: String) -> [Parcel] {
        var removed: [Parcel] = []
        review { parcel in
            if parcel.channel == channel { removed.append(parcel) }
            return parcel.channel != channel
        }
        return removed
    }

    /// The earliest time asked for of what waits. Looks at all of it: what was held does not lie in order.
    var oldestAsked: Timestamp? { bands.joined().lazy.map(\.claim.asked).min() }

    func each(_ body: (Parcel) -> Void) {
        for band in bands { band.forEach(body) }
    }

    /// Changes or removes what waits; `body` answers whether a parcel stays.
    mutating func review(_ body: (inout Parcel) -> Bool) {
        for band in bands.indices {
            var kept: Deque<Parcel> = []
            for var parcel in bands[band] where body(&parcel) { kept.append(parcel) }
            waiting -= bands[band].count - kept.count
            bands[band] = kept
        }
    }
}
