import BelfryCore
import DequeModule

/// The books of a ``Dispatcher``: what waits, what is under way, what is to be settled and recorded. A pure state machine: it does no
/// I/O and reads no clock.
struct Desk {
    /// A limit older than this is looked up again.
    static let limitsAge = Duration.milliseconds(100)

    var settings: DispatcherSettings
    private let sequel: any Sequel
    private var random: SplitMix64

    /// Lanes are never removed: there are as many as accounts.
    private(set) var lanes: [Lane] = []
    private var laneOf: [String: Int] = [:]
    /// Lanes with something waiting, in the order of their turns.
    private var ring: Deque<Int> = []
    private(set) var shipments: [Int: Shipment] = [:]
    private var nextShipment = 0
    /// How many lanes have shipments under way.
    private var lanesSending = 0

    /// Claimed and not yet settled.
    var inFlight = 0
    /// Put back for a turn: due, but for the account's rate or its pause.
    private(set) var turnsAhead = TurnsAhead()
    /// Past the time asked for, and put back until later.
    private var held = HeldBook()
    /// To be settled.
    private(set) var outbox: [Closing] = []
    /// How many settlements are under way.
    private var settling = 0
    /// To be recorded, the oldest first.
    private(set) var unrecorded: Deque<Closing> = []

    var pauseAll: Pause?
    var isStopping = false
    var isOutOfTime = false
    /// The claimer was refused and waits for room.
    private var isBlocked = false
    var failure: TimelineError?
    /// What the last look at the timeline said.
    var nextDue: Timestamp?

    init(settings: DispatcherSettings, sequel: any Sequel, seed: UInt64) {
        self.settings = settings
        self.sequel = sequel
        random = SplitMix64(seed: seed)
    }

    /// A seed for what draws outside the desk.
    mutating func draw() -> UInt64 { random.next() }

    // MARK: Claiming

    /// How many pushes may be claimed now; 0 while it is not worth a hop. Whoever is refused is to be rung for when that changes.
    mutating func claim() -> Int {
        let count = claimable
        isBlocked = count == 0
        return count
    }

    /// Whether a claimer that was refused may be rung for now.
    var mayUnblock: Bool { isBlocked && claimable > 0 }

    private var claimable: Int {
        guard !isStopping, pauseAll == nil, failure == nil,
            unrecorded.count < settings.recordBacklog
        else { return 0 }
        let free = min(settings.capacity - inFlight, settings.claimBatch)
        return free >= min(settings.claimBatch, max(1, settings.capacity / 4)) ? free : 0
    }

    /// Everything that was sent is settled and recorded.
    var isDrained: Bool {
        shipments.isEmpty && outbox.isEmpty && settling == 0 && unrecorded.isEmpty
    }

    /// The run is to end.
    var isOver: Bool { failure != nil || isOutOfTime || (isStopping && isDrained) }

    /// The oldest time asked for that is known of what is not handed over.
    func oldestAsked(at now: Timestamp) -> Timestamp? {
        let waiting = ring.lazy.compactMap { self.lanes[$0].oldestAsked }.min()
        return [waiting, nextDue, held.oldest(at: now).values.min()].compactMap { $0 }.min()
    }

    /// The oldest time asked for of what was put back, by why.
    func oldestHeld(at now: Timestamp) -> [WaitingState: Timestamp] { held.oldest(at: now) }

    /// A settlement has put pushes back.
    mutating func putBack(_ events: [DeliveryEvent], at now: Timestamp) {
        held.prune(at: now)
        for event in events {
            guard case .waits(let state, let until) = event.change else { continue }
            held.add(event.claim.asked, state, until: until, at: now)
        }
    }

    // MARK: Limits

    /// The accounts whose limits are unknown or old, of those named and those with something waiting.
    func staleAccounts(_ named: some Sequence<String>, _ now: Timestamp) -> [String] {
        var stale: [String] = []
        var last: String?
        for account in named where account != last {
            last = account
            if isStale(laneOf[account], now), !stale.contains(account) { stale.append(account) }
        }
        for lane in ring where isStale(lane, now) && !stale.contains(lanes[lane].account) {
            stale.append(lanes[lane].account)
        }
        return stale
    }

    private func isStale(_ lane: Int?, _ now: Timestamp) -> Bool {
        guard let lane else { return true }
        let age = now - lanes[lane].limitSeen
        return age >= Self.limitsAge || age < .zero
    }

    mutating func set(_ limit: AccountLimit, of account: String, now: Timestamp) {
        lanes[lane(account, limit, now)].set(limit, now: now)
    }

    private mutating func lane(_ account: String, _ limit: AccountLimit, _ now: Timestamp) -> Int {
        if let lane = laneOf[account] { return lane }
        lanes.append(Lane(account, limit, now: now))
        laneOf[account] = lanes.count - 1
        return lanes.count - 1
    }

    // MARK: Gates

    /// Puts what the gatekeeper has passed through the gates that follow, in this order: quiet hours, quota, rate, pause.
    ///
    /// The limits of all accounts must have been set before.
    mutating func admit(_ parcels: [Parcel], now: Timestamp) {
        var account: String?
        var lane = 0
        for parcel in parcels {
            let name = parcel.claim.push.recipient.account
            if name != account {
                account = name
                lane = self.lane(name, AccountLimit(), now)
            }
            admit(parcel, lane, now)
        }
    }

    private mutating func admit(_ parcel: Parcel, _ lane: Int, _ now: Timestamp) {
        if let until = lanes[lane].limit.quietUntil, until > now {
            return hold(parcel, .heldQuiet, until, DeliveryCauses.quiet, .released, now)
        }
        if lanes[lane].quotaLeft() == 0, let ends = lanes[lane].limit.quota?.ends {
            return refuse(parcel, overQuotaUntil: ends, now)
        }
        // However much is due for one account, half of the desk is left for the others.
        if !lanes[lane].hasRoom(within: settings.capacity / 2) {
            guard let last = lanes[lane].yield(to: parcel.claim.push.priority) else {
                return putBack(parcel, lane, now)
            }
            putBack(last, lane, now)
        }
        if let pause = lanes[lane].pause(now) {
            return hold(parcel, pause, lane, now)
        }
        lanes[lane].append(parcel)
        if !lanes[lane].isInRing {
            lanes[lane].isInRing = true
            ring.append(lane)
        }
    }

    private mutating func putBack(_ parcel: Parcel, _ lane: Int, _ now: Timestamp) {
        let turn = lanes[lane].book(now, using: &random)
        turnsAhead.add(turn)
        hold(parcel, .heldRate, turn, DeliveryCauses.rate, .kept, now)
    }

    private mutating func refuse(_ parcel: Parcel, overQuotaUntil ends: Timestamp, _ now: Timestamp)
    {
        if let expires = parcel.claim.push.expires, expires <= ends {
            close(
                .end(
                    parcel.claim,
                    .quotaDay,
                    cause: DeliveryCauses.quota,
                    channel: parcel.channel,
                    at: now,
                    successors: sequel.successors(of: parcel.claim, outcome: .quotaDay, at: now)
                )
            )
        } else {
            // Spread over the first minute of the new day.
            let until = ends + .milliseconds(Int64.random(in: 0...60_000, using: &random))
            hold(parcel, .heldRate, max(until, now), DeliveryCauses.quota, .released, now)
        }
    }

    private mutating func hold(_ parcel: Parcel, _ pause: Pause, _ lane: Int, _ now: Timestamp) {
        let until = lanes[lane].lookAgain(pause, now, using: &random)
        turnsAhead.add(until)
        hold(parcel, .heldPaused, until, pause.cause, .released, now)
    }

    private mutating func hold(
        _ parcel: Parcel,
        _ state: WaitingState,
        _ until: Timestamp,
        _ cause: SendCause,
        _ reservation: DeliveryEvent.Reservation,
        _ now: Timestamp
    ) {
        close(
            .hold(
                parcel.claim,
                state,
                until: until,
                cause: cause,
                channel: parcel.channel,
                at: now,
                reservation: reservation
            )
        )
    }

    // MARK: Departure

    /// What may go now, account by account in turn; each takes one shipment a turn.
    mutating func depart(_ now: Timestamp) -> [Shipment] {
        var departing: [Shipment] = []
        guard !isStopping, pauseAll == nil else { return departing }
        var fruitless = 0
        while fruitless < ring.count, shipments.count < settings.shipments {
            let lane = ring.removeFirst()
            if let shipment = load(lane, now) {
                departing.append(shipment)
                fruitless = 0
            } else {
                fruitless += 1
            }
            if lanes[lane].waiting > 0 { ring.append(lane) } else { lanes[lane].isInRing = false }
        }
        return departing
    }

    /// How many shipments the account whose turn it is may have under way: room is left for one more account than there are.
    private func share(of lane: Int) -> Int {
        let sending = lanesSending + (lanes[lane].shipments == 0 ? 1 : 0)
        return max(1, settings.shipments / (max(ring.count + 1, sending) + 1))
    }

    private mutating func load(_ lane: Int, _ now: Timestamp) -> Shipment? {
        if let pause = lanes[lane].pause(now) {
            for parcel in lanes[lane].empty() { hold(parcel, pause, lane, now) }
            return nil
        }
        guard lanes[lane].shipments < share(of: lane) else { return nil }
        let count = min(lanes[lane].allowance(now), settings.shipmentMessages)
        guard count > 0 else { return nil }
        if lanes[lane].shipments == 0 { lanesSending += 1 }
        let parcels = lanes[lane].load(count)
        let shipment = Shipment(
            number: nextShipment,
            lane: lane,
            account: lanes[lane].account,
            channel: parcels[0].channel,
            parcels: parcels,
            unknown: lanes[lane].limit.unknown,
            seed: random.next()
        )
        nextShipment += 1
        shipments[shipment.number] = shipment
        return shipment
    }

    /// When an account that waits only for tokens has some.
    func nextTokens() -> Timestamp? {
        guard !isStopping, pauseAll == nil, shipments.count < settings.shipments else { return nil }
        return ring.lazy.compactMap { lane in
            lanes[lane].shipments < share(of: lane) ? lanes[lane].nextTokens() : nil
        }.min()
    }

    mutating func arrived(_ number: Int, at now: Timestamp, _ closings: [Closing]) {
        guard let shipment = shipments.removeValue(forKey: number) else { return }
        lanes[shipment.lane].arrived(shipment.parcels.count, now)
        if lanes[shipment.lane].shipments == 0 { lanesSending -= 1 }
        close(closings)
    }

    func stopped(_ account: String) -> Pause? { laneOf[account].flatMap { lanes[$0].stop } }

    mutating func stop(_ account: String, _ pause: Pause?, now: Timestamp) {
        let lane = lane(account, AccountLimit(), now)
        lanes[lane].stop = pause
    }

    // MARK: Leases

    /// Claims whose leases are to be renewed: what was last confirmed at `steady` or before, and what is decided but not settled.
    func unconfirmed(since steady: Int64) -> [ClaimToken] {
        var tokens: [ClaimToken] = []
        func note(_ parcel: Parcel) {
            if parcel.confirmed <= steady { tokens.append(parcel.claim.token) }
        }
        for lane in ring { lanes[lane].each(note) }
        for number in shipments.keys.sorted() { shipments[number]?.parcels.forEach(note) }
        for closing in unrecorded where closing.recordsFirst {
            tokens.append(closing.settlement.token)
        }
        // What was sent must not become due again because it could not be settled.
        for closing in outbox { tokens.append(closing.settlement.token) }
        return tokens
    }

    /// Takes in what the renewal of leases said: what was cancelled or replaced while it waited here is not sent.
    ///
    /// - Returns: how many claims were lost to somebody else.
    mutating func confirmed(
        _ outcomes: [ClaimToken: ExtendOutcome],
        now: Timestamp,
        steady: Int64
    ) -> Int {
        var lost = 0
        var withdrawn: [Closing] = []
        for lane in ring {
            lanes[lane].review { parcel in
                switch outcomes[parcel.claim.token] {
                case nil: return true
                case .extended:
                    parcel.confirmed = steady
                    return true
                case .extendedSuperseded:
                    withdrawn.append(.withdrawn(parcel, at: now))
                    return false
                case .stale:
                    lost += 1
                    return false
                }
            }
        }
        close(withdrawn)
        return lost
    }

    // MARK: Settling and recording

    mutating func close(_ closing: Closing) {
        if closing.recordsFirst { unrecorded.append(closing) } else { outbox.append(closing) }
    }

    mutating func close(_ closings: [Closing]) {
        for closing in closings { close(closing) }
    }

    mutating func takeOutbox() -> [Closing] {
        guard !outbox.isEmpty else { return [] }
        var taken: [Closing] = []
        if outbox.count <= settings.settleBatch {
            swap(&taken, &outbox)
        } else {
            taken = Array(outbox.prefix(settings.settleBatch))
            outbox.removeFirst(settings.settleBatch)
        }
        settling = taken.count
        return taken
    }

    /// - Parameters:
    ///   - count: how many claims have ended.
    ///   - events: what is still to be recorded of them.
    ///   - earliest: the earliest time at which something that was put back or follows is due.
    /// - Returns: whether a look at the timeline is worth while: there is room again, or something is due before it was known.
    mutating func settled(_ count: Int, _ events: [Closing], earliest: Timestamp) -> Bool {
        settling = 0
        inFlight -= count
        unrecorded.append(contentsOf: events)
        return mayUnblock || earliest < nextDue ?? .distantFuture
    }

    /// Puts back what could not be settled.
    mutating func unsettled(_ closings: [Closing]) {
        settling = 0
        outbox.insert(contentsOf: closings, at: 0)
    }

    func nextRecords(_ limit: Int) -> [Closing] { Array(unrecorded.prefix(limit)) }

    /// The oldest `count` events are written: what waited for that is settled now.
    mutating func recorded(_ count: Int) {
        for closing in unrecorded.prefix(count) where closing.recordsFirst {
            outbox.append(closing)
        }
        unrecorded.removeFirst(count)
    }

    /// Moves the oldest event to the end, so that one which the store refuses does not hold up the others.
    mutating func rotateRecords() {
        if let first = unrecorded.popFirst() { unrecorded.append(first) }
    }
}
