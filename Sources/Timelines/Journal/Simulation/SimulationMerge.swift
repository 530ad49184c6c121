import BelfryCore

/// What the model knows of a push that may become one with others (promise T8).
struct SimulationMerge: Equatable {
    /// Whether a further push joins it.
    enum Joinable {
        case yes
        case no
        /// Claims end with the process: after a restart a group that was claimed may be open again, or not.
        case maybe
    }

    /// Recipient and key.
    var key: String
    var collects: Bool
    var grace: Int64
    var maxWait: Int64
    /// The earliest and the latest due time in it; a past one counts as the time of acceptance.
    var first: Int64 = 0
    var last: Int64 = 0
    /// Serials that are kept besides the newest, oldest first.
    var collected: [Int] = []
    var joinable = Joinable.no
}

extension SimulationModel {
    /// The push that one with this key might join.
    func head(_ key: String) -> String? {
        pending.first { $0.value.merge?.key == key && $0.value.merge?.joinable != .no }?.key
    }

    /// It cannot be told which of several groups takes another push.
    func isAmbiguous(_ key: String) -> Bool {
        let open = pending.values.filter {
            $0.merge?.key == key && $0.merge?.joinable != .no
        }
        return open.count > 1
    }

    /// Whether another push of this key joins one can be told.
    func isSure(_ key: String) -> Bool {
        !pending.values.contains { $0.merge?.key == key && $0.merge?.joinable == .maybe }
    }

    /// An entry that nothing has joined yet, by its own times.
    static func alone(_ entry: Entry, at now: Int64) -> Entry {
        guard var merge = entry.merge else { return entry }
        var entry = entry
        merge.first = max(entry.due, now)
        merge.last = merge.first
        entry.due = merge.first + min(merge.grace, merge.maxWait)
        entry.merge = merge
        return entry
    }

    /// The group as it is with one more push; `nil` where that is due later than the group may wait.
    func joined(_ id: String, _ entry: Entry, at now: Int64) -> Entry? {
        guard let old = pending[id], var group = old.merge, let rule = entry.merge else {
            return nil
        }
        let base = max(entry.due, now)
        group.first = min(group.first, base)
        group.last = max(group.last, base)
        let latest = group.first + rule.maxWait
        guard group.last <= latest else { return nil }
        group.collected = rule.collects ? group.collected + [old.serial] : []
        group.collects = rule.collects
        group.grace = rule.grace
        group.maxWait = rule.maxWait
        group.joinable = .yes
        var new = entry
        new.attempt = old.attempt
        new.due = min(latest, group.last + rule.grace)
        new.merge = group
        return new
    }

    /// Nobody joins what had this key until now.
    mutating func closeGroups(_ key: String) {
        for (id, entry) in pending where entry.merge?.key == key {
            pending[id]?.merge?.joinable = .no
        }
    }

    /// What is known of groups after a restart: at most one of each key is open, surely the one that was.
    static func afterRestart(_ entries: [String: Entry]) -> [String: Entry] {
        let sure = Set(
            entries.values.compactMap { $0.merge?.joinable == .yes ? $0.merge?.key : nil }
        )
        return entries.mapValues { entry in
            guard let merge = entry.merge, merge.joinable != .yes else { return entry }
            var entry = entry
            entry.merge?.joinable = sure.contains(merge.key) ? .no : .maybe
            return entry
        }
    }
}
