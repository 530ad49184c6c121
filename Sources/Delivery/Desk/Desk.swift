import BelfryCore
import DequeModule

/// The books of a ``Dispatcher``: what waits, what is under way, what is to be settled and recorded. A pure state machine: it does no
/// I/O and reads no clock.
struct Desk {
    /// A limit older than this is looked up again.
    static let limitsAge = Duration.milliseconds(100)
    static let bands = Priority.allCases.count

    var settings: DispatcherSettings
    private let sequel: any Sequel
    let endpoints: [String: any Channel]
    /// The names of channels that take many messages in one call.
    let batching: Set<String>
    /// Which of the places that messages go to are out of order.
    var circuits = Circuits()
    var random: SplitMix64

    /// Lanes are never removed: there are as many as accounts.
    var lanes: [Lane] = []
    private var laneOf: [String: Int] = [:]
    /// Of each band: lanes with something waiting in it, in the order of their turns.
    var rings: [Deque<Int>] = Array(repeating: [], count: bands)
    /// Lanes with something waiting, in no order.
    var busy: [Int] = []
    var shipments: [Int: Shipment] = [:]
    var nextShipment = 0
    /// How many lanes have shipments under way.
    var lanesSending = 0
    /// Messages under way.
    var sending = 0
    /// Those of them that share a call.
    var sendingTogether = 0
    /// Messages whose channels have answered.
    private(set) var completed = 0
    /// When what waits was last looked at for what has aged.
    var aged = Timestamp.distantPast

    /// Claimed and not yet settled.
    var inFlight = 0
    /// Put back for a turn: due, but for the account's rate or its pause.
    var turnsAhead = TurnsAhead()
    /// Past the time asked for, and put back until later.
    private var held = HeldBook()
    /// To be settled.
    private(set) var outbox: [Closing] = []
    /// How many settlements are under way, and in how many calls.
    private(set) var settling = 0
    private var settlingCalls = 0
    /// To be recorded, the oldest first.
    private(set) var unrecorded: Deque<Closing> = []

    var pauseAll: Pause?
    var isStopping = false
    var isOutOfTime = false
    /// What the claimer was told last.
    var lastLook: Look?
    /// The claimer was refused and waits for room.
    var isBlocked = false
    /// How much of what is due is taken on; `nil`: whatever there is room for.
    var reach: Reach?
    /// The claimer was refused because enough for a while is held.
    var isBeyondReach = false
    /// It was refused so, and has not come to the end of what is due since.
    var isRushed = false
    /// It has waited long enough for what is held: a few more are claimed.
    var isImpatient = false

    /// Whether capacity is short.
    var scarcity = Scarcity()
    /// By the last look that left nothing out: pushes that are deferred are due.
    var isDeferredDue = false
    /// When a push of a band that may not be deferred was last seen.
    var neededAt = Timestamp.distantPast
    var failure: TimelineError?
    /// What the last look at the timeline said.
    var nextDue: Timestamp?

    init(
        settings: DispatcherSettings,
        sequel: any Sequel,
        channels: [String: any Channel] = [:],
        seed: UInt64
    ) {
        self.settings = settings
        endpoints = channels
        batching = Set(channels.filter(\.value.isBatching).keys)
        self.sequel = sequel
        reach = settings.reach.map { Reach($0) }
        random = SplitMix64(seed: seed)
    }

    /// A seed for what draws outside the desk.
    mutating func draw() -> UInt64 { random.next() }

    /// Everything that was sent is settled and recorded.
    var isDrained: Bool {
        shipments.isEmpty && outbox.isEmpty && settling == 0 && unrecorded.isEmpty
    }

    /// The run is to end.
    var isOver: Bool { failure != nil || isOutOfTime || (isStopping && isDrained) }

    /// The oldest time asked for that is known of what is not handed over.
    func oldestAsked(at now: Timestamp) -> Timestamp? {
        let waiting = busy.lazy.compactMap { self.lanes[$0].oldestAsked }.min()
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
        for lane in busy where isStale(lane, now) && !stale.contains(lanes[lane].account) {
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

    /// Puts what the gatekeeper has passed through the gates that follow, in this order: quiet hours, quota, circuit, rate, pause.
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
        if holdBlocked(parcel, now) { return }
        let band = band(of: parcel.claim.push, now)
        // However much is due for one account, half of the desk is left for the others.
        let perCall = batching.contains(parcel.channel) ? settings.shipmentMessages : 1
        if !lanes[lane].hasRoom(within: settings.capacity / 2, perCall: perCall) {
            guard let last = lanes[lane].yield(to: band) else {
                return putBack(parcel, lane, now)
            }
            putBack(last, lane, now)
        }
        if let pause = lanes[lane].pause(now) {
            return hold(parcel, pause, lane, now)
        }
        lanes[lane].append(parcel, band: band)
        enter(lane, ring: band)
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

    mutating func hold(_ parcel: Parcel, _ pause: Pause, _ lane: Int, _ now: Timestamp) {
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

    mutating func arrived(_ number: Int, at now: Timestamp, _ closings: [Closing]) {
        guard let shipment = shipments.removeValue(forKey: number) else { return }
        circuits.arrived(shipment.endpoint, number)
        lanes[shipment.lane].arrived(shipment.parcels.count, calls: shipment.calls, now)
        sending -= shipment.parcels.count
        if batching.contains(shipment.channel) { sendingTogether -= shipment.parcels.count }
        completed += shipment.parcels.count
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
        for lane in busy { lanes[lane].each(note) }
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
        for lane in busy {
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

    /// - Parameter calls: nothing is taken while so many calls are under way.
    mutating func takeOutbox(atMost calls: Int) -> [Closing] {
        guard !outbox.isEmpty, settlingCalls < calls else { return [] }
        var taken: [Closing] = []
        if outbox.count <= settings.settleBatch {
            swap(&taken, &outbox)
        } else {
            taken = Array(outbox.prefix(settings.settleBatch))
            outbox.removeFirst(settings.settleBatch)
        }
        settling += taken.count
        settlingCalls += 1
        return taken
    }

    /// - Parameters:
    ///   - count: how many claims have ended.
    ///   - events: what is still to be recorded of them.
    ///   - earliest: the earliest time at which something that was put back or follows is due.
    /// - Returns: whether a look at the timeline is worth while: there is room again, or something is due before it was known.
    mutating func settled(
        _ count: Int,
        _ events: [Closing],
        earliest: Timestamp,
        at now: Timestamp
    ) -> Bool {
        settling -= count
        settlingCalls -= 1
        inFlight -= count
        reach?.settled(count, isBusy: isRushed, at: now)
        unrecorded.append(contentsOf: events)
        return mayUnblock || mayTrickle || earliest < nextDue ?? .distantFuture
    }

    /// Puts back what could not be settled.
    mutating func unsettled(_ closings: [Closing]) {
        settling -= closings.count
        settlingCalls -= 1
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
