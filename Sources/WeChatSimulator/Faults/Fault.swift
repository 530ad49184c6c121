/// What goes wrong with a call to the API.
package struct Fault: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// errcode -1; the call has no effect.
        case busy
        /// Any other errcode; the call has no effect.
        case refuse(Int)
        /// No answer until the caller gives up or ``hold`` is over; then the connection is cut.
        case hang
        /// The connection is reset without an answer.
        case reset
        /// A right answer, late.
        case slow(Duration)
        /// A page of HTML as a broken proxy sends it, with this status.
        case html(status: Int)
        /// This status with an empty body.
        case status(Int)
    }

    package var kind: Kind
    /// Whether WeChat has carried the call out before the answer went wrong: the message is delivered, the sender does
    /// not know it. Without meaning for `busy`, `refuse` and `slow`.
    package var afterAccepting: Bool
    /// How long a connection hangs, in real time.
    package var hold: Duration

    package init(_ kind: Kind, afterAccepting: Bool = false, hold: Duration = .seconds(60)) {
        self.kind = kind
        self.afterAccepting = afterAccepting
        self.hold = hold
    }
}

/// When a fault strikes.
package struct FaultRule: Sendable, Hashable {
    package enum Chance: Sendable, Hashable {
        /// The next so many calls.
        case next(Int)
        /// Each call with this probability, drawn from the simulator's seed.
        case probability(Double)
    }

    package var fault: Fault
    package var chance: Chance
    /// Only calls of this account; nil for all.
    package var appID: String?
    /// Only this path, as `/cgi-bin/message/custom/send`; nil for all of the API.
    package var path: String?

    package init(
        _ fault: Fault,
        _ chance: Chance = .next(1),
        appID: String? = nil,
        path: String? = nil
    ) {
        self.fault = fault
        self.chance = chance
        self.appID = appID
        self.path = path
    }
}

/// The rules in force, oldest first.
struct FaultPlan: Sendable {
    private(set) var rules: [FaultRule] = []

    mutating func add(_ rule: FaultRule) { rules.append(rule) }
    mutating func clear() { rules = [] }

    /// The fault that strikes this call: that of the first rule that fits.
    mutating func strike(
        appID: String?,
        path: String,
        _ random: inout SeededRandom
    ) -> Fault? {
        for index in rules.indices {
            let rule = rules[index]
            if let wanted = rule.appID, wanted != appID { continue }
            if let wanted = rule.path, wanted != path { continue }
            switch rule.chance {
            case .next(let count):
                if count > 1 {
                    rules[index].chance = .next(count - 1)
                } else {
                    rules.remove(at: index)
                }
                if count > 0 { return rule.fault }
                return nil
            case .probability(let probability):
                if random.chance(probability) { return rule.fault }
            }
        }
        return nil
    }
}
