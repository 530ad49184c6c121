import BelfryCore

/// Finds out for each step of a flow whether anything may be sent at its moment: first for a person who does nothing after the trigger,
/// then for one who writes whenever it helps.
struct Reach {
    let flow: Flow
    let rules: PermissionRules

    /// When a step can be due, counted from the entry: the earliest and the latest.
    struct Interval: Sendable, Hashable {
        var low: Duration
        var high: Duration
    }

    struct Verdict: Sendable, Hashable {
        var reach: Reachability
        var why: String
        var interval: Interval
        /// Quiet hours would move it out of the window that it needs.
        var isLostInQuietHours = false
        /// Its moment is always over when its turn comes.
        var isAlwaysPast = false
    }

    /// One verdict for each step, in order.
    func verdicts() -> [Verdict] {
        var before = Interval(low: .zero, high: .zero)
        var used = 0
        var verdicts: [Verdict] = []
        for step in flow.steps {
            var placed = interval(of: step, after: before)
            if let merge = step.merge {
                // It waits for others to be merged with.
                placed.interval = placed.interval.moved(merge.grace, merge.maxWait)
            }
            var verdict = verdict(on: step, at: placed.interval, used: used)
            if placed.isAlwaysPast {
                verdict = Verdict(
                    reach: .never,
                    why: "its time of day is always over when the step before has been sent",
                    interval: placed.interval,
                    isAlwaysPast: true
                )
            }
            if verdict.reach == .everyone { used += 1 }
            verdicts.append(verdict)
            before = placed.interval
        }
        return verdicts
    }

    private func interval(of step: FlowStep, after before: Interval) -> (
        interval: Interval, isAlwaysPast: Bool
    ) {
        switch step.timing {
        case .immediately: return (before, false)
        case .after(let delay): return (before.moved(delay, delay), false)
        case .afterEntry(let delay):
            return (Interval(low: max(before.low, delay), high: max(before.high, delay)), false)
        case .afterMessage(let delay, let wait):
            if flow.trigger.action == .message {
                return (Interval(low: max(before.low, delay), high: max(before.high, delay)), false)
            }
            return (before.moved(delay, wait), false)
        case .at(_, nil): return (before.moved(.zero, .days(1)), false)
        case .at(let time, .some(let day)):
            // Whoever enters at midnight waits longest, whoever enters just before the next one shortest.
            let high = Duration.days(Int64(day)) + .minutes(Int64(time.minutes))
            let low = high - .days(1)
            let interval = Interval(low: max(before.low, low), high: max(before.high, high))
            return (interval, high < before.low)
        }
    }

    private func verdict(on step: FlowStep, at interval: Interval, used: Int) -> Verdict {
        if rules.isUnlimited {
            return Verdict(reach: .everyone, why: "nothing limits this channel", interval: interval)
        }
        let obstacle = silentObstacle(step, interval, used)
        if obstacle == nil {
            let end = window.map { DurationText.text($0.duration) } ?? ""
            let quota = window?.quota.map { "message \(used + 1) of \($0), " } ?? ""
            var verdict = Verdict(
                reach: .everyone,
                why: "\(quota)\(interval.words) after \(opener), which opens \(end)",
                interval: interval
            )
            verdict.isLostInQuietHours = isLostInQuietHours(step, interval)
            return verdict
        }
        return writerVerdict(step, interval, obstacle ?? "")
    }

    // MARK: A person who does nothing after the trigger

    /// What the trigger opens.
    private var window: GrantTerms? { flow.trigger.action.flatMap { rules.table[$0] } }

    private var opener: String {
        switch flow.trigger.action {
        case .follow: "the follow"
        case .message: "the message"
        case .menu: "the tap on the menu"
        case .scan: "the scan"
        case .payment, nil: "the call"
        }
    }

    private func silentObstacle(_ step: FlowStep, _ interval: Interval, _ used: Int) -> String? {
        if step.conditions.answered == true { return "it is only for those who have answered" }
        if case .afterMessage = step.timing, flow.trigger.action != .message {
            return "it waits for the person to write"
        }
        guard let window else { return "\(opener) opens no window under \(rules.name)" }
        guard interval.high <= window.plannable else {
            let open = "\(opener) opens \(DurationText.text(window.duration))"
            if interval.high <= window.duration {
                return
                    "\(open), of which \(DurationText.text(window.plannable)) can be planned with (it counts on the platform's clock)"
            }
            return interval.low <= window.plannable
                ? "\(open), enough only for those who enter at the right time of day" : open
        }
        if let quota = window.quota, used >= quota {
            return "\(opener) opens \(quota) messages, and the steps before use them up"
        }
        return nil
    }

    private func isLostInQuietHours(_ step: FlowStep, _ interval: Interval) -> Bool {
        guard let quiet = flow.quietHours, !step.ignoresQuietHours, let window else { return false }
        // A time of day is only moved if it lies in quiet hours itself.
        if case .at(let time, _) = step.timing, !quiet.contains(time) { return false }
        return interval.high + quiet.length > window.plannable
    }

    // MARK: A person who writes whenever it helps

    private func writerVerdict(_ step: FlowStep, _ interval: Interval, _ obstacle: String)
        -> Verdict
    {
        func never(_ why: String) -> Verdict {
            Verdict(reach: .never, why: why, interval: interval)
        }
        func later(_ why: String) -> Verdict {
            Verdict(reach: .afterWriting, why: why, interval: interval)
        }
        let moment = "due \(interval.words) after \(opener)"
        guard let terms = rules.table[.message], rules.openers.contains(.message) else {
            guard !rules.openers.filter({ $0 != .follow }).isEmpty else {
                return never("\(obstacle), and nothing else opens a window under \(rules.name)")
            }
            return later("\(obstacle); only for those who open a window just before")
        }
        let open = DurationText.text(terms.duration)
        if let goal = flow.goal, goal.stops, goal.kind == .answered {
            return never(
                "\(obstacle); writing would open one, but ends the flow, as it is the goal"
            )
        }
        if case .afterMessage(let delay, _) = step.timing, delay > terms.plannable {
            return never(
                "a message opens \(open), and each new one moves the step \(DurationText.text(delay)) further"
            )
        }
        if step.conditions.answered == false {
            // A new follower cannot have written before; everybody else may have.
            if flow.trigger.action == .follow || interval.low > terms.duration {
                return never(
                    "\(moment); \(obstacle), and it is only for those who have not answered"
                )
            }
            return later(
                "\(obstacle); only for those who had written in the \(open) before, and not since"
            )
        }
        if case .afterMessage(let delay, _) = step.timing {
            return later(
                "\(DurationText.text(delay)) after the person has written, which opens \(open)"
            )
        }
        return later("\(moment); \(obstacle); only if the person writes in the \(open) before")
    }
}

extension Reach.Interval {
    func moved(_ low: Duration, _ high: Duration) -> Reach.Interval {
        Reach.Interval(low: self.low + low, high: self.high + max(low, high))
    }

    /// `5s`, `9h30m to 1d9h30m`.
    var words: String {
        low == high
            ? DurationText.text(low) : "\(DurationText.text(low)) to \(DurationText.text(high))"
    }
}
