import BelfryCore

extension Inspection {
    // MARK: Variables

    func variableFindings() -> [Finding] {
        var findings: [Finding] = []
        if let reply = flow.reply {
            findings += variableFindings(reply.body, step: nil) {
                parsed.positions["reply.\(reply.type).\($0)"]
                    ?? parsed.positions["reply.\(reply.type)"]
            }
        }
        for (index, step) in flow.steps.enumerated() {
            let type = step.message.type
            findings += variableFindings(step.message.body, step: step.id) {
                place(index, "\(type).\($0)", type)
            }
            if case .channel(let other)? = step.otherwise {
                findings += variableFindings(other.body, step: step.id) {
                    let key = "otherwise.\(other.kind.rawValue).\($0)"
                    let short = key.hasSuffix(".value") ? String(key.dropLast(6)) : key
                    return place(index, key, short, "otherwise")
                }
            }
        }
        return findings
    }

    private func variableFindings(
        _ body: MessageValue,
        step: String?,
        at position: (String) -> SourcePosition?
    ) -> [Finding] {
        let known = TemplateValues.known + flow.variables.keys.sorted()
        return TemplateText.variables(in: body).compactMap { use in
            guard known.contains(use.name) else {
                let nearest = Suggestion.nearest(to: use.name, among: known)
                let hint =
                    nearest.map { "; did you mean '\($0)'?" } ?? "; known are \(known.quoted)"
                return Finding(
                    .error,
                    "unknown_variable",
                    step: step,
                    position: position(use.path),
                    message: "unknown variable '\(use.name.shortened)'\(hint)"
                )
            }
            guard use.standard == nil, isOftenEmpty(use.name) else { return nil }
            return Finding(
                .warning,
                "variable_without_default",
                step: step,
                position: position(use.path),
                message:
                    "'\(use.name)' is empty for many people; give it a default: {{\(use.name)|…}}"
            )
        }
    }

    /// Nicknames are no longer told since 2021-12-27; remark and scene are empty for most people.
    private func isOftenEmpty(_ name: String) -> Bool {
        if let standard = flow.variables[name] { return standard == nil }
        if name == "scene" {
            return switch flow.trigger {
            case .scan: false
            case .follow(let scenes): scenes.isEmpty
            case .message, .menu, .api: true
            }
        }
        return ["nickname", "remark"].contains(name)
    }

    // MARK: Times

    func timingFindings() -> [Finding] {
        var findings: [Finding] = []
        var earliest = Duration.zero
        for (index, step) in flow.steps.enumerated() {
            switch step.timing {
            case .after(let delay): earliest += delay
            case .afterEntry(let delay):
                if delay < earliest {
                    findings.append(
                        Finding(
                            .warning,
                            "out_of_order",
                            step: step.id,
                            position: place(index, "after_entry"),
                            message:
                                "is meant for \(DurationText.text(delay)) after the entry, but the step before is not sent until \(DurationText.text(earliest)); it follows right after that one"
                        )
                    )
                }
                earliest = max(earliest, delay)
            case .at(let time, let day):
                findings += localTimeFindings(step, time, day, index)
                earliest = max(earliest, Duration.days(Int64(max(0, (day ?? 0) - 1))))
            case .immediately, .afterMessage: break
            }
            findings += mergeFindings(step, index)
            if case .hold(let hold)? = step.otherwise, let expires = step.expires, expires < hold {
                findings.append(
                    Finding(
                        .warning,
                        "expires_before_hold",
                        step: step.id,
                        position: place(index, "expires"),
                        message:
                            "expires after \(DurationText.text(expires)), yet may be held for \(DurationText.text(hold)); the hold counts"
                    )
                )
            }
        }
        return findings
    }

    /// A step waits at least for `grace`, alone or not, and at most for `max_wait`.
    private func mergeFindings(_ step: FlowStep, _ index: Int) -> [Finding] {
        guard let merge = step.merge, let expires = step.lasts, expires <= merge.maxWait else {
            return []
        }
        let isNever = expires <= merge.grace
        let wait = isNever ? "always waits" : "may wait"
        return [
            Finding(
                isNever ? .error : .warning,
                "expires_before_merge",
                step: step.id,
                position: place(index, "expires"),
                message:
                    "expires after \(DurationText.text(expires)), yet \(wait) \(DurationText.text(isNever ? merge.grace : merge.maxWait)) for others to be merged with"
            )
        ]
    }

    private func localTimeFindings(_ step: FlowStep, _ time: LocalTime, _ day: Int?, _ index: Int)
        -> [Finding]
    {
        var findings: [Finding] = []
        if let quiet = flow.quietHours, !step.ignoresQuietHours, quiet.contains(time) {
            findings.append(
                Finding(
                    .warning,
                    "in_quiet_hours",
                    step: step.id,
                    position: place(index, "at"),
                    message: "\(time) lies in the quiet hours; it is sent at \(quiet.to) instead"
                )
            )
        }
        if day == 0 {
            findings.append(
                Finding(
                    .warning,
                    "day_zero",
                    step: step.id,
                    position: place(index, "day"),
                    message:
                        "whoever enters after \(time) does not get it: day 0 is the day of entry"
                )
            )
        }
        return findings
    }

    // MARK: Other channels

    func channelFindings() -> [Finding] {
        guard let channels else { return [] }
        return flow.steps.enumerated().compactMap { index, step in
            guard case .channel(let other)? = step.otherwise,
                !channels.contains(other.kind.rawValue)
            else { return nil }
            return Finding(
                .warning,
                "no_channel",
                step: step.id,
                position: place(index, "otherwise"),
                message:
                    "this server has no channel '\(other.kind.rawValue)'; without permission the step is skipped"
            )
        }
    }

    // MARK: The passive reply

    func replyFindings() -> [Finding] {
        guard let reply = flow.reply else { return [] }
        let position = parsed.positions["reply"]
        var findings: [Finding] = []
        if case .api = flow.trigger {
            findings.append(
                Finding(
                    .error,
                    "reply_without_callback",
                    position: position,
                    message: "a flow that is started by a call has no callback to answer"
                )
            )
        }
        if flow.trigger.action == .message, case .array(let articles)? = reply.body["articles"],
            articles.count > 1
        {
            findings.append(
                Finding(
                    .error,
                    "reply_articles",
                    position: position,
                    message: "the answer to a message may have one article, not \(articles.count)"
                )
            )
        }
        return findings
    }
}

extension QuietHours {
    /// Whether that time of day is quiet. The end is not.
    package func contains(_ time: LocalTime) -> Bool {
        from < to ? from <= time && time < to : time >= from || time < to
    }
}
