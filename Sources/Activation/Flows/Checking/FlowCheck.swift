import BelfryCore

/// Tells an author what a flow will do before anybody gets a message from it.
package enum FlowCheck {
    /// Everything there is to say: errors first, then warnings, then notes, each in the order of the steps.
    ///
    /// - Parameter channels: those that the server has, for steps that name another one; `nil` where that is not known.
    package static func report(
        _ parsed: ParsedFlow,
        rules: PermissionRules,
        channels: Set<String>? = nil
    ) -> [Finding] {
        let inspection = Inspection(parsed: parsed, rules: rules, channels: channels)
        let findings =
            inspection.reachFindings() + inspection.variableFindings()
            + inspection.timingFindings() + inspection.replyFindings()
            + inspection.channelFindings()
        let order: [Finding.Severity] = [.error, .warning, .note]
        return order.flatMap { severity in findings.filter { $0.severity == severity } }
    }

    package static func report(
        _ flow: Flow,
        rules: PermissionRules,
        channels: Set<String>? = nil
    ) -> [Finding] {
        report(ParsedFlow(flow), rules: rules, channels: channels)
    }
}

/// One flow under one rule table.
struct Inspection {
    let parsed: ParsedFlow
    let rules: PermissionRules
    let channels: Set<String>?
    var flow: Flow { parsed.flow }

    /// Where a key of a step stands; where that is not known, the nearest thing around it.
    func place(_ index: Int, _ keys: String...) -> SourcePosition? {
        let step = "steps[\(index)]"
        let exact = keys.lazy.compactMap { parsed.positions["\(step).\($0)"] }.first
        return exact ?? parsed.positions[step]
    }

    // MARK: Reachability

    func reachFindings() -> [Finding] {
        let verdicts = Reach(flow: flow, rules: rules).verdicts()
        var findings: [Finding] = []
        for (index, (step, verdict)) in zip(flow.steps, verdicts).enumerated() {
            let position = place(index, step.timing.key)
            findings.append(reachFinding(step, verdict, position))
            if verdict.isLostInQuietHours {
                findings.append(
                    Finding(
                        .warning,
                        "quiet_hours_window",
                        step: step.id,
                        position: position,
                        message:
                            "for those who enter in quiet hours it moves out of the window it needs; set quiet_hours: ignore if it answers what they just did"
                    )
                )
            }
        }
        return findings + invitationFindings(verdicts)
    }

    private func reachFinding(
        _ step: FlowStep,
        _ verdict: Reach.Verdict,
        _ position: SourcePosition?
    ) -> Finding {
        let who =
            switch verdict.reach {
            case .everyone: "reachable for everyone"
            case .afterWriting: "reachable only after the person writes"
            case .never: "can never be sent"
            }
        let hasWayOut =
            switch step.otherwise {
            case .channel: true
            case .hold: !rules.openers.filter { $0 != .follow }.isEmpty
            case nil, .skip: false
            }
        let refused = verdict.reach == .never && (verdict.isAlwaysPast || !hasWayOut)
        let fallback =
            verdict.reach == .everyone ? "" : "; otherwise: \((step.otherwise ?? .skip).words)"
        let advice =
            refused && !verdict.isAlwaysPast
            ? "; name a fallback with 'otherwise', or move the step" : ""
        return Finding(
            refused ? .error : .note,
            refused ? "unreachable" : "reach",
            step: step.id,
            position: position,
            message: "\(who): \(verdict.why)\(refused ? advice : fallback)",
            reach: verdict.reach
        )
    }

    /// Whether something invites the answer that later steps need.
    private func invitationFindings(_ verdicts: [Reach.Verdict]) -> [Finding] {
        let dependent = verdicts.count { $0.reach == .afterWriting }
        guard dependent > 0, flow.trigger.action != .message else { return [] }
        var findings = [
            Finding(
                .note,
                "invite_answer",
                message:
                    "\(dependent) of \(verdicts.count) steps are only for those who write: an early message has to invite an answer"
            )
        ]
        let menus = flow.steps.enumerated().filter { $0.element.message.type == "msgmenu" }
        for (index, step) in menus {
            findings.append(
                Finding(
                    .note,
                    "msgmenu_tap",
                    step: step.id,
                    position: place(index, "msgmenu"),
                    message:
                        "a tap on an entry counts as a menu tap, not as a message: it does not open the long window"
                )
            )
        }
        return findings
    }
}

extension StepTiming {
    /// The key that says it in YAML.
    var key: String {
        switch self {
        case .immediately: "when"
        case .after: "after"
        case .afterEntry: "after_entry"
        case .afterMessage: "after_message"
        case .at: "at"
        }
    }
}

extension Otherwise {
    var words: String {
        switch self {
        case .skip: "skip"
        case .hold(let span): "hold for at most \(DurationText.text(span))"
        case .channel(let other):
            switch other.kind {
            case .template: "send the template message \(other.templateID ?? "")"
            case .subscribe:
                "send the notification \(other.templateID ?? "") to those who have agreed to it"
            case .webhook: "call the webhook"
            }
        }
    }
}
