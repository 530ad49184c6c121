import BelfryCore

/// How a new window joins the ones there are (``PermissionRules/Combination``).
extension PermissionLedger {
    mutating func combine(_ grant: Grant) -> Grant? {
        switch rules.combination {
        case .separate: replaceSameKind(with: grant)
        case .refresh: refresh(with: grant)
        case .add: add(grant)
        }
    }

    private mutating func replaceSameKind(with grant: Grant) -> Grant? {
        guard let index = grants.firstIndex(where: { $0.source == grant.source }) else {
            change { $0.append(grant) }
            return grant
        }
        let old = grants[index]
        // A duplicate, or an older action that was overtaken on the way, changes nothing.
        guard grant.granted > old.granted else { return nil }
        let joined = keepingLateUse(of: grant, after: old)
        change { $0[index] = joined }
        return joined
    }

    /// One window in all: the later end and the larger remaining count win.
    private mutating func refresh(with grant: Grant) -> Grant? {
        guard let index = grants.firstIndex(where: { !$0.isConsent }) else {
            change { $0.append(grant) }
            return grant
        }
        let old = grants[index]
        guard grant.granted > old.granted else { return extend(index, until: grant.expires) }
        var joined = keepingLateUse(of: grant, after: old)
        if old.expires > grant.granted {
            joined.expires = max(old.expires, grant.expires)
            joined.quota = larger(old.remaining, joined.quota, used: joined.used)
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

    private func larger(_ remaining: Int?, _ quota: Int?, used: Int) -> Int? {
        guard let remaining, let quota else { return nil }
        return max(remaining + used, quota)
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

    /// Messages reserved after the action happened but before we heard of it count against its window too.
    private func keepingLateUse(of grant: Grant, after old: Grant) -> Grant {
        guard let lastReserved, lastReserved >= grant.granted else { return grant }
        var grant = grant
        grant.used = min(old.used, grant.quota ?? old.used)
        return grant
    }
}
