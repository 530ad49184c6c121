import BelfryCore
import DequeModule

/// What goes next: the highest band first, and within it accounts by deficit round robin (M. Shreedhar, G. Varghese, "Efficient Fair Queueing Using Deficit Round Robin",
/// SIGCOMM 1995), a message costing one. Choosing a message takes the same time however many wait.
extension Desk {
    /// What may go now.
    mutating func depart(_ now: Timestamp) -> [Shipment] {
        var departing: [Shipment] = []
        guard !isStopping, pauseAll == nil else { return departing }
        age(now)
        for band in rings.indices {
            var fruitless = 0
            while fruitless < rings[band].count, slots(for: band, now) > 0 {
                let lane = rings[band][0]
                if let shipment = load(lane, band, now) {
                    departing.append(shipment)
                    fruitless = 0
                    // Its turn goes on: with another shipment, or when there is room again.
                    if lanes[lane].turns[band] > 0 { continue }
                } else {
                    fruitless += 1
                    lanes[lane].endTurn(in: band)
                }
                passTurn(in: band)
            }
        }
        return departing
    }

    /// How many messages of a band may go now. A quarter of all there is stays free of what may be deferred, so that nobody else waits for it to arrive: while capacity is short,
    /// and while somebody uses the other bands, or those would be late from the first moment of a shortage until it counts as one.
    func slots(for band: Int, _ now: Timestamp) -> Int {
        let share = yields(band, now) ? 4 : 0
        func open(_ all: Int) -> Int { share == 0 ? all : max(1, all - all / share) }
        guard shipments.count < open(settings.shipments) else { return 0 }
        return max(0, open(settings.sends) - sending)
    }

    private func yields(_ band: Int, _ now: Timestamp) -> Bool {
        if let overload = scarcity.overload { return band >= Int(overload.from.rawValue) }
        guard let highest = settings.overload.highest, isNeeded(now) else { return false }
        return band >= Int(highest.rawValue)
    }

    private mutating func load(_ lane: Int, _ band: Int, _ now: Timestamp) -> Shipment? {
        if let pause = lanes[lane].pause(now) {
            for parcel in lanes[lane].empty() { hold(parcel, pause, lane, now) }
            return nil
        }
        clearBlocked(lane, band, now)
        guard lanes[lane].shipments < share(of: lane), let channel = lanes[lane].channel(in: band)
        else { return nil }
        let slots = slots(for: band, now)
        // However slow an account is, an eighth of all places is left for the others.
        let own = settings.sends - settings.sends / 8 - lanes[lane].sending
        let quantum = max(1, min(settings.shipmentMessages, slots / rings[band].count))
        lanes[lane].beginTurn(in: band, quantum: quantum)
        let isOneCall = batching.contains(channel)
        let allowance = lanes[lane].allowance(now, isOneCall: isOneCall)
        lanes[lane].isLimited = allowance == 0
        let endpoint = endpoint(channel, lanes[lane].account)
        let count = min(
            allowance,
            settings.shipmentMessages,
            lanes[lane].turns[band],
            slots,
            own,
            passing(endpoint, now)
        )
        guard count > 0 else { return nil }
        let shipment = ship(lane, band, count, endpoint, isOneCall)
        circuits.departs(endpoint, shipment.number, now)
        return shipment
    }

    private mutating func ship(
        _ lane: Int,
        _ band: Int,
        _ count: Int,
        _ endpoint: Endpoint,
        _ isOneCall: Bool
    ) -> Shipment {
        if lanes[lane].shipments == 0 { lanesSending += 1 }
        let parcels = lanes[lane].load(count, band: band, isOneCall: isOneCall)
        let shipment = Shipment(
            number: nextShipment,
            lane: lane,
            account: lanes[lane].account,
            channel: parcels[0].channel,
            endpoint: endpoint,
            parcels: parcels,
            isOneCall: isOneCall,
            calls: isOneCall ? 1 : parcels.count,
            unknown: lanes[lane].limit.unknown,
            seed: random.next()
        )
        nextShipment += 1
        shipments[shipment.number] = shipment
        sending += parcels.count
        if isOneCall { sendingTogether += parcels.count }
        return shipment
    }

    /// How many shipments an account may have under way: room is left for one more account than there are.
    private func share(of lane: Int) -> Int {
        let others = busy.count - (lanes[lane].place == nil ? 0 : 1)
        let sending = lanesSending + (lanes[lane].shipments == 0 ? 1 : 0)
        return max(1, settings.shipments / (max(others + 1, sending) + 1))
    }

    /// When an account that waits only for tokens has some.
    func nextTokens(_ now: Timestamp) -> Timestamp? {
        guard !isStopping, pauseAll == nil, slots(for: 0, now) > 0 else { return nil }
        return busy.lazy.compactMap { lane in
            lanes[lane].shipments < share(of: lane) ? lanes[lane].nextTokens() : nil
        }.min()
    }

    // MARK: Rings

    mutating func enter(_ lane: Int, ring band: Int) {
        guard !lanes[lane].rings[band] else { return }
        lanes[lane].enter(ring: band)
        rings[band].append(lane)
        guard lanes[lane].place == nil else { return }
        lanes[lane].place = busy.count
        busy.append(lane)
    }

    /// The first of a ring goes to its end, or leaves it if nothing waits.
    private mutating func passTurn(in band: Int) {
        let lane = rings[band].removeFirst()
        if lanes[lane].waiting(in: band) > 0 { return rings[band].append(lane) }
        lanes[lane].leave(ring: band)
        guard !lanes[lane].rings.contains(true), let place = lanes[lane].place else { return }
        lanes[lane].place = nil
        let last = busy.removeLast()
        guard last != lane else { return }
        busy[place] = last
        lanes[last].place = place
    }

    // MARK: Ageing

    /// The band in which a push waits here: its own, or the one that it has moved up to since it was due, as in the timeline. What is deferred does not
    /// move up before its deferral ends.
    func band(of push: Push, _ now: Timestamp) -> Int {
        Self.band(of: push, now, settings.ageing, scarcity.overload)
    }

    private static func band(
        of push: Push,
        _ now: Timestamp,
        _ ageing: Duration,
        _ overload: Overload?
    ) -> Int {
        let own = Int(push.priority.rawValue)
        if overload?.deferredUntil(push.priority, due: push.due, now: now) != nil { return own }
        let steps = (now - push.due).milliseconds / max(1, ageing.milliseconds)
        return max(0, own - Int(min(max(0, steps), Int64(bands))))
    }

    /// No band starves here either. Once a second.
    private mutating func age(_ now: Timestamp) {
        guard now - aged >= .seconds(1) || now < aged else { return }
        aged = now
        for lane in busy {
            let (ageing, overload) = (settings.ageing, scarcity.overload)
            lanes[lane].age { Self.band(of: $0, now, ageing, overload) }
            for band in rings.indices where lanes[lane].waiting(in: band) > 0 {
                enter(lane, ring: band)
            }
        }
    }
}
