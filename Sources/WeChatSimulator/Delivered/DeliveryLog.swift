/// What all people saw, in order. The newest entries are kept, the counters are exact over all.
struct DeliveryLog: Sendable {
    private(set) var deliveries: Ring<Delivery>
    private(set) var refusals: Ring<Refusal>
    private(set) var summary = DeliverySummary()

    init(capacity: Int) {
        deliveries = Ring(capacity: capacity)
        refusals = Ring(capacity: capacity)
    }

    mutating func deliver(_ delivery: Delivery, duplicate: Bool) {
        var delivery = delivery
        delivery.sequence = deliveries.total + 1
        deliveries.append(delivery)
        switch delivery.kind {
        case .custom:
            summary.custom += 1
            if !delivery.permitted { summary.sentWithoutPermission += 1 }
            if duplicate { summary.duplicated += 1 }
        case .template: summary.template += 1
        case .subscribe: summary.subscribe += 1
        case .passive: summary.passive += 1
        case .unavailable: summary.unavailable += 1
        }
        if delivery.kind != .unavailable { summary.byType[delivery.type, default: 0] += 1 }
    }

    mutating func refuse(_ refusal: Refusal) {
        var refusal = refusal
        refusal.sequence = refusals.total + 1
        refusals.append(refusal)
        summary.refused += 1
        summary.refusedByCode[refusal.code, default: 0] += 1
        if [45_015, 45_047, 43_004, 43_101].contains(refusal.code) {
            summary.refusedWithoutPermission += 1
        }
    }

    mutating func count(_ change: (inout DeliverySummary) -> Void) { change(&summary) }
}

/// Counts over the whole life of the simulator.
package struct DeliverySummary: Sendable, Hashable {
    /// Customer-service messages that were accepted, and so seen.
    package var custom = 0
    package var template = 0
    package var subscribe = 0
    /// Template messages and notifications that were accepted and that nobody saw.
    package var noticesLost = 0
    package var passive = 0
    /// Times that a person saw "the service is temporarily unavailable".
    package var unavailable = 0
    package var byType: [String: Int] = [:]
    /// Accepted customer-service messages for which the table had no window; 0 unless an account only records.
    package var sentWithoutPermission = 0
    /// Customer-service messages that a person saw a second time within one follow session.
    package var duplicated = 0
    package var refused = 0
    package var refusedByCode: [Int: Int] = [:]
    /// Refused with 45015, 45047, 43004 or 43101: somebody tried to send without permission.
    package var refusedWithoutPermission = 0
    /// Callbacks that got a right answer, and those that never did. Copies that were made on purpose count apart.
    package var callbacksAnswered = 0
    package var callbacksFailed = 0
    /// Requests for callbacks, each attempt and each copy counted.
    package var callbackRequests = 0

    package init() {}
}

/// The newest `capacity` of a row of things.
struct Ring<Element: Sendable>: Sendable {
    private var items: [Element] = []
    private var next = 0
    let capacity: Int
    /// How many were ever appended.
    private(set) var total: Int64 = 0

    init(capacity: Int) { self.capacity = max(1, capacity) }

    mutating func append(_ item: Element) {
        if items.count < capacity {
            items.append(item)
        } else {
            items[next] = item
        }
        next = (next + 1) % capacity
        total += 1
    }

    /// Those after the first `count`, oldest first, as far as they are still here.
    func since(_ count: Int64) -> [Element] {
        let wanted = Int(min(max(total - count, 0), Int64(items.count)))
        guard items.count == capacity else { return Array(items.suffix(wanted)) }
        return (0..<wanted).map { items[(next + capacity - wanted + $0) % capacity] }
    }
}
