/// How several open windows of one person act together. WeChat says nothing official about it.
package enum WindowCombination: String, Sendable, Hashable, Codable {
    /// One window per kind of action; a message uses up the one that closes first.
    case shortestFirst = "shortest_first"
    /// One window per kind of action; a message counts in all of them.
    case all
    /// One window in all: the larger count and the later end win (the rule for mini programs of 2017).
    case merged
}

/// The windows of one person.
struct WindowBook: Sendable, Hashable {
    struct Window: Sendable, Hashable {
        var action: UserAction
        /// Milliseconds since 1970; from then on closed.
        var closesAt: Int64
        /// nil: any number.
        var left: Int?
    }

    enum Verdict: Sendable, Hashable {
        /// A message may go; it used the window that this action opened.
        case used(UserAction)
        /// A window is open, but its count is used up (45047).
        case exhausted
        /// No window is open (45015).
        case closed
    }

    /// At most one per action.
    private(set) var windows: [Window] = []

    /// - Parameter createTime: seconds since 1970, the CreateTime of the event: a window counts from there.
    mutating func open(
        _ action: UserAction,
        _ rule: WindowRule,
        createTime: Int64,
        _ combination: WindowCombination
    ) {
        var window = Window(
            action: action,
            closesAt: (createTime + rule.seconds) * 1000,
            left: rule.messages
        )
        if combination == .merged {
            for old in windows where old.closesAt > createTime * 1000 {
                window.closesAt = max(window.closesAt, old.closesAt)
                if let left = window.left { window.left = old.left.map { max($0, left) } }
            }
            windows = [window]
        } else {
            windows.removeAll { $0.action == action }
            windows.append(window)
        }
    }

    mutating func closeAll() { windows = [] }

    /// Uses one message of a window, if one is open at `now` (milliseconds).
    mutating func use(at now: Int64, _ combination: WindowCombination) -> Verdict {
        let open = windows.indices.filter { windows[$0].closesAt > now }
        if open.isEmpty { return .closed }
        let usable = open.filter { windows[$0].left != 0 }
        guard let first = usable.min(by: { windows[$0].closesAt < windows[$1].closesAt }) else {
            return .exhausted
        }
        for index in combination == .all ? usable : [first] {
            if let left = windows[index].left { windows[index].left = left - 1 }
        }
        return .used(windows[first].action)
    }
}
