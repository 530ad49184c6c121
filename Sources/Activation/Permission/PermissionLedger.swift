package import BelfryCore

/// What one person allows us to send: a window for each action that opened one, and consents to templates.
///
/// A value: whoever stores the grants loads it, changes it and stores it again in one transaction.
/// Windows are counted from the event's own time (CreateTime), never from its arrival.
package struct PermissionLedger: Sendable, Hashable {
    package let rules: PermissionRules
    package private(set) var grants: [Grant]
    /// When the person unfollowed; `nil` while following or never heard of.
    package private(set) var unfollowed: Timestamp?
    /// The newest messages that were taken from windows, oldest first: an action that we hear of late opened its window before some of
    /// them, and they count against it.
    package private(set) var uses: [GrantUse]

    /// More windows than this at once (only `add` makes so many) lose the ones that end first.
    package static let grantLimit = 256
    /// More uses than this are not remembered one by one. Far above what a person may be sent while a callback is late.
    package static let useLimit = 64

    package init(
        rules: PermissionRules,
        grants: [Grant] = [],
        unfollowed: Timestamp? = nil,
        uses: [GrantUse] = []
    ) {
        self.rules = rules
        self.grants = grants
        self.unfollowed = unfollowed
        self.uses = uses
    }

    /// Notes what a person did, at the event's own time.
    ///
    /// - Parameter arrived: our clock when the event came in. A platform clock ahead of ours must not lengthen the window, so a later
    ///   event time counts as this one.
    /// - Returns: the grant as it stands now, `nil` where the action opens nothing or came too late to change anything.
    @discardableResult
    package mutating func record(
        _ action: GrantingAction,
        at created: Timestamp,
        arrived: Timestamp? = nil
    ) -> Grant? {
        let time = arrived.map { min(created, $0) } ?? created
        if let left = unfollowed {
            // A late event from before the person left opens nothing. In the same second, the one that came last counts.
            guard time >= left else { return nil }
            unfollowed = nil
        }
        guard let terms = rules.table[action], terms.duration > .zero, terms.quota != 0 else {
            return nil
        }
        let grant = Grant(
            source: action.rawValue,
            granted: time,
            expires: time + terms.duration,
            quota: terms.quota,
            rule: rules.name
        )
        // Heard of when it has ended: a copy of what is forgotten, or of no use any more.
        if let arrived, grant.expires <= arrived { return nil }
        return combine(grant)
    }

    /// Notes what the person said about notifications, at the event's own time.
    package mutating func record(_ changes: [ConsentChange], at time: Timestamp) {
        for change in changes {
            if change.isGranted {
                recordConsent(template: change.template, at: time)
            } else {
                correct(.refused(template: change.template), at: time)
            }
        }
    }

    /// Notes that the person agreed to receive one more message of a template. Consents add up and do not end by time.
    package mutating func recordConsent(template: String, at time: Timestamp, count: Int = 1) {
        let source = Self.consentSource(template)
        // Accounts have some dozens of templates: so many consents are not real.
        guard grants.count < Self.grantLimit || grants.contains(where: { $0.source == source })
        else { return }
        if let index = grants.firstIndex(where: { $0.source == source }) {
            grants[index].quota = (grants[index].quota ?? 0) + count
        } else {
            grants.append(
                Grant(
                    source: source,
                    granted: time,
                    expires: .distantFuture,
                    quota: count,
                    rule: rules.name
                )
            )
        }
    }

    /// The longest open window, and how many messages all open windows allow together; `nil` with none open.
    package func opens(at time: Timestamp) -> OpenPermission? {
        if rules.isUnlimited { return OpenPermission(until: .distantFuture, remaining: nil) }
        let open = openWindows(at: time)
        guard unfollowed == nil, let end = open.map({ grants[$0].expires }).max() else {
            return nil
        }
        let counts = open.map { grants[$0].remaining }
        let unbounded = counts.contains { $0 == nil }
        let known = counts.compactMap { $0 }
        let remaining =
            switch rules.consumption {
            case .shortestLived: known.reduce(0, +)
            case .all: known.max() ?? 0
            }
        return OpenPermission(until: end, remaining: unbounded ? nil : remaining)
    }

    /// Takes one message from the open window that ends first (or from all, if the rules say so).
    ///
    /// - Returns: what to hand to ``release(_:)`` if the message surely was not sent.
    package mutating func reserve(at time: Timestamp) throws(NoPermission) -> GrantUse {
        if rules.isUnlimited { return GrantUse(time: time, taken: []) }
        if let unfollowed {
            throw NoPermission(reason: .unfollowed(since: unfollowed), nextPossible: [.follow])
        }
        let open = openWindows(at: time)
        guard !open.isEmpty else { throw refusal(at: time) }
        let use = take(rules.consumption == .all ? open[...] : open.prefix(1), at: time)
        uses.append(use)
        uses.removeFirst(max(0, uses.count - Self.useLimit))
        return use
    }

    /// Takes one consent to a template.
    package mutating func reserveConsent(template: String, at time: Timestamp) throws(NoPermission)
        -> GrantUse
    {
        if rules.isUnlimited { return GrantUse(time: time, taken: []) }
        let source = Self.consentSource(template)
        guard
            let index = grants.firstIndex(where: {
                $0.source == source && $0.isUsable(at: time)
            })
        else { throw NoPermission(reason: .noConsent(template: template), nextPossible: []) }
        grants[index].used += 1
        // Its template alone names a consent: late callbacks are nothing to it.
        return GrantUse(time: .distantPast, taken: [grants[index].key])
    }

    /// Gives a message back to every grant that it was taken from and that has not been replaced since. A window that it came to count
    /// against later, because we heard of it late, gets it back too.
    package mutating func release(_ use: GrantUse) {
        var taken = use.taken
        if let index = uses.firstIndex(where: { $0.time == use.time }) {
            taken = uses.remove(at: index).taken
        }
        for key in taken {
            guard let index = grants.firstIndex(where: { $0.key == key && $0.used > 0 }) else {
                continue
            }
            grants[index].used -= 1
        }
    }

    private mutating func take(_ indices: ArraySlice<Int>, at time: Timestamp) -> GrantUse {
        for index in indices { grants[index].used += 1 }
        // Two at the same moment are told apart by a millisecond.
        let free = uses.last.map { max(time, $0.time + .milliseconds(1)) } ?? time
        return GrantUse(
            time: free,
            taken: indices.map { grants[$0].key },
            ends: indices.first.map { grants[$0].expires } ?? .distantFuture
        )
    }

    /// Indices of the windows that are open and not used up, the one that ends first in front.
    private func openWindows(at time: Timestamp) -> [Int] {
        grants.indices
            .filter { !grants[$0].isConsent && grants[$0].isUsable(at: time) }
            .sorted { grants[$0].expires < grants[$1].expires }
    }

    private func refusal(at time: Timestamp) -> NoPermission {
        let windows = grants.filter { !$0.isConsent }
        let reason: NoPermission.Reason
        if let full = windows.filter({ time < $0.expires }).map(\.expires).max() {
            reason = .countUsedUp(until: full)
        } else if let closed = windows.map(\.expires).max() {
            reason = .windowClosed(since: closed)
        } else {
            reason = .neverOpened
        }
        return NoPermission(reason: reason, nextPossible: rules.openers.filter { $0 != .follow })
    }

    static func consentSource(_ template: String) -> String { "consent:\(template)" }

    /// For the parts of the ledger in other files.
    mutating func change(_ body: (inout [Grant]) -> Void) { body(&grants) }
    mutating func changeUses(_ body: (inout [GrantUse]) -> Void) { body(&uses) }
    mutating func markUnfollowed(_ time: Timestamp) { unfollowed = time }
}

/// What is open for a person just now.
package struct OpenPermission: Sendable, Hashable {
    /// When the longest open window ends.
    package var until: Timestamp
    /// How many messages may still be sent; `nil`: any number.
    package var remaining: Int?

    package init(until: Timestamp, remaining: Int?) {
        self.until = until
        self.remaining = remaining
    }
}

extension Grant {
    package var isConsent: Bool { source.hasPrefix("consent:") }
    /// How many messages are left; `nil`: any number.
    package var remaining: Int? { quota.map { max(0, $0 - used) } }

    /// Open by its end and count alone: an event that has arrived has happened, even if the platform's clock is ahead of ours.
    func isUsable(at time: Timestamp) -> Bool { time < expires && remaining != 0 }
}
