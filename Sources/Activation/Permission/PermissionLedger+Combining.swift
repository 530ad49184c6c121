import BelfryCore

/// How a new window joins the ones there are (``PermissionRules/Combination``).
extension PermissionLedger {
    /// Opens a window at its own time. Messages that were taken since then, before we heard of it, are taken once more, in order and
    /// knowing it, so that they count against the windows that they would have counted against.
    mutating func combine(_ grant: Grant) -> Grant? {
        let late = uses.firstIndex { $0.time >= grant.granted } ?? uses.endIndex
        let known = Set(grants.map(\.key))
        for use in uses[late...] { count(use.taken, -1) }
        let joined = join(grant)
        if joined?.granted == grant.granted {
            let replaced = known.subtracting(grants.map(\.key))
            for index in late..<uses.endIndex { takeAgain(index, replaced) }
        } else {
            for use in uses[late...] { count(use.taken, 1) }
        }
        return joined.flatMap { joined in grants.first { $0.key == joined.key } }
    }

    private mutating func join(_ grant: Grant) -> Grant? {
        switch rules.combination {
        case .separate: replaceSameKind(with: grant)
        case .refresh: refresh(with: grant)
        case .add: add(grant)
        }
    }

    private mutating func count(_ keys: [GrantKey], _ change: Int) {
        self.change { grants in
            for index in grants.indices where keys.contains(grants[index].key) {
                grants[index].used += change
            }
        }
    }

    /// - Parameter replaced: windows that the late one has closed before the message was taken.
    private mutating func takeAgain(_ index: Int, _ replaced: Set<GrantKey>) {
        let use = uses[index]
        let open = grants.filter {
            !$0.isConsent && $0.granted <= use.time && $0.isUsable(at: use.time)
        }.sorted { $0.expires < $1.expires }
        guard let first = open.first else { return count(use.taken, 1) }
        if rules.consumption == .shortestLived {
            // Its window may have been replaced since, by a later action; if it ended first, it would have been taken all the same.
            let isThere = use.taken.contains { key in grants.contains { $0.key == key } }
            let isReplaced = use.taken.contains(where: replaced.contains)
            if !isThere, !isReplaced, use.ends <= first.expires { return }
        }
        let taken = (rules.consumption == .all ? open : [first]).map(\.key)
        count(taken, 1)
        changeUses {
            $0[index].taken = taken
            $0[index].ends = first.expires
        }
    }

    private mutating func replaceSameKind(with grant: Grant) -> Grant? {
        guard let index = grants.firstIndex(where: { $0.source == grant.source }) else {
            return open(grant)
        }
        let old = grants[index]
        // A duplicate, or an older action that was overtaken on the way, changes nothing.
        guard grant.granted > old.granted else { return nil }
        change { $0[index] = grant }
        return grant
    }

    /// One window in all: the later end and the larger remaining count win.
    private mutating func refresh(with grant: Grant) -> Grant? {
        guard let index = grants.firstIndex(where: { !$0.isConsent }) else { return open(grant) }
        let old = grants[index]
        guard grant.granted > old.granted else { return extend(index, until: grant.expires) }
        var joined = grant
        if old.expires > grant.granted {
            joined.expires = max(old.expires, grant.expires)
            joined.quota = larger(old.remaining, joined.quota)
        }
        change { $0[index] = joined }
        return joined
    }

    /// An action that was overtaken on the way, or a duplicate, may prolong the window but never refills its count.
    private mutating func extend(_ index: Int, until end: Timestamp) -> Grant? {
        guard end > grants[index].expires else { return nil }
        change { $0[index].expires = end }
        return grants[index]
    }

    private func larger(_ remaining: Int?, _ quota: Int?) -> Int? {
        guard let remaining, let quota else { return nil }
        return max(remaining, quota)
    }

    private mutating func add(_ grant: Grant) -> Grant? {
        let isKnown = grants.contains {
            $0.source == grant.source && $0.granted == grant.granted
        }
        guard !isKnown else { return nil }
        change { grants in
            grants.removeAll { !$0.isConsent && $0.expires <= grant.granted }
            grants.append(grant)
            let surplus = grants.count - Self.grantLimit
            if surplus > 0 {
                let windows = grants.filter { !$0.isConsent }.sorted { $0.expires < $1.expires }
                let dropped = Set(windows.prefix(surplus))
                grants.removeAll { dropped.contains($0) }
            }
        }
        return grants.contains(grant) ? grant : nil
    }

    private mutating func open(_ grant: Grant) -> Grant {
        change { $0.append(grant) }
        return grant
    }
}
