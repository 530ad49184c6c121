package import BelfryCore

/// What has to be looked up outside to finish a message.
package struct DeliveryLookups: Sendable {
    /// The media id of an uploaded file; `nil` while it is not uploaded. Unless said otherwise, the file's own reference `file:NAME`, which
    /// the WeChat channel uploads at the moment of sending.
    package var mediaID: @Sendable (MessageFile) -> String?
    /// The tracked address for a link; `nil`: leave links as they are.
    package var trackedLink: (@Sendable (String) -> String)?

    package init(
        mediaID: @escaping @Sendable (MessageFile) -> String? = { "file:\($0.path)" },
        trackedLink: (@Sendable (String) -> String)? = nil
    ) {
        self.mediaID = mediaID
        self.trackedLink = trackedLink
    }
}

extension FlowPlanner {
    /// How long a step whose media file is not uploaded yet waits before it looks again.
    package static let mediaWait = Duration.minutes(1)
    /// How long it does so before it is given up.
    package static let mediaPatience = Duration.hours(1)

    /// What a due push of a flow becomes: asked by a delivery gate just before sending.
    ///
    /// - Parameters:
    ///   - payload: of the claimed push.
    ///   - ledger: the person's permission as it is now; `nil` leaves the check to the caller.
    ///   - isFallingBack: whether an earlier try went the other way that the step names: so does this one, and its permission has been
    ///     reserved.
    package func resolve(
        payload: [UInt8],
        versions: FlowVersions,
        person: FlowPerson,
        ledger: PermissionLedger?,
        lookups: DeliveryLookups = DeliveryLookups(),
        now: Timestamp
    ) -> Resolution {
        do {
            let position = try FlowPosition(payload: payload)
            return resolve(
                position,
                versions: versions,
                person: person,
                ledger: ledger,
                lookups: lookups,
                now: now
            )
        } catch {
            return .skip(.dead, reason: error.reason)
        }
    }

    package func resolve(
        _ position: FlowPosition,
        versions: FlowVersions,
        person: FlowPerson,
        ledger: PermissionLedger?,
        isFallingBack: Bool = false,
        lookups: DeliveryLookups = DeliveryLookups(),
        now: Timestamp
    ) -> Resolution {
        guard position.flow == versions.current.flow.key else {
            return .skip(.dead, reason: "the push belongs to the flow '\(position.flow)'")
        }
        let standing = versions.standing(of: position.version)
        if standing.hasLeft {
            return .skip(
                .cancelled,
                reason: "version \(standing.structure.version) sent everybody out of the flow"
            )
        }
        guard let placed = standing.structure.flow.step(position.step) else {
            return .skip(
                .skippedCondition,
                reason:
                    "version \(standing.structure.version) no longer has the step '\(position.step)'"
            )
        }
        let step = standing.content.flow.step(position.step) ?? placed
        if let resolution = timing(of: placed, position, standing, person, now) {
            return resolution
        }
        if let resolution = standingInTheWay(of: step, position, standing, person, now) {
            return resolution
        }
        let values = TemplateValues(
            account: account,
            flow: standing.content.flow,
            person: person
        ).adding(position.variables)
        if isFallingBack, case .channel(let other)? = step.otherwise {
            let reason =
                refusal(ledger, at: now)?.description ?? "nothing was open at its moment"
            return fallBack(step, other, reason, standing.content.flow, values, lookups)
        }
        if let refusal = refusal(ledger, at: now) {
            return otherwise(step, position, standing, refusal, ledger, values, lookups, now)
        }
        return message(step, position, standing.content.flow, values, lookups, now)
    }

    /// Whether the step's moment has come, by the person's messages and by the newest structure.
    private func timing(
        of step: FlowStep,
        _ position: FlowPosition,
        _ standing: FlowVersions.Standing,
        _ person: FlowPerson,
        _ now: Timestamp
    ) -> Resolution? {
        guard person.isFollowing || account.channel != "wechat" else {
            return .skip(.unsubscribed, reason: "the person has unfollowed")
        }
        if case .afterMessage(let delay, let wait) = step.timing {
            guard let wrote = person.lastWrote, wrote >= position.started else {
                guard now < position.due else {
                    return .skip(
                        .skippedCondition,
                        reason: "the person did not write within \(DurationText.text(wait))"
                    )
                }
                return .hold(
                    until: position.due,
                    state: .scheduled,
                    reason: "waits for the person to write"
                )
            }
            let moment = max(position.anchor, wrote + delay)
            if now < moment {
                return .hold(
                    until: moment,
                    state: .scheduled,
                    reason: "due \(DurationText.text(delay)) after the person last wrote"
                )
            }
        } else if standing.structure.version != position.version,
            case .due(let due, _, _) = place(
                step,
                of: standing.structure.flow,
                quiet: standing.content.flow.quietHours,
                position,
                person
            ), now < due
        {
            return .hold(
                until: due,
                state: .scheduled,
                reason: "version \(standing.structure.version) moved the step"
            )
        }
        return nil
    }

    /// Goal, conditions, expiry and quiet hours, in this order.
    private func standingInTheWay(
        of step: FlowStep,
        _ position: FlowPosition,
        _ standing: FlowVersions.Standing,
        _ person: FlowPerson,
        _ now: Timestamp
    ) -> Resolution? {
        let flow = standing.content.flow
        if let goal = flow.goal, goal.stops, goal.isReached(by: person, since: position.started) {
            return .skip(.skippedCondition, reason: "the flow's goal is reached")
        }
        if let unmet = step.conditions.unmet(by: person, since: position.started) {
            return .skip(.skippedCondition, reason: unmet)
        }
        if let expires = step.expires, now > position.due + expires, !isHolding(step) {
            return .skip(
                .expired,
                reason: "more than \(DurationText.text(expires)) after its moment"
            )
        }
        if let quiet = flow.quietHours, !step.ignoresQuietHours,
            let period = quiet.period(at: now, in: standing.structure.flow.zone ?? account.zone)
        {
            return .hold(
                until: period.upperBound,
                state: .heldQuiet,
                reason: "quiet hours from \(quiet.from) to \(quiet.to)"
            )
        }
        return nil
    }

    private func isHolding(_ step: FlowStep) -> Bool {
        if case .hold? = step.otherwise { true } else { false }
    }

    private func refusal(_ ledger: PermissionLedger?, at now: Timestamp) -> NoPermission? {
        guard var trial = ledger else { return nil }
        do throws(NoPermission) {
            _ = try trial.reserve(at: now)
            return nil
        } catch {
            return error
        }
    }

    private func otherwise(
        _ step: FlowStep,
        _ position: FlowPosition,
        _ standing: FlowVersions.Standing,
        _ refusal: NoPermission,
        _ ledger: PermissionLedger?,
        _ values: TemplateValues,
        _ lookups: DeliveryLookups,
        _ now: Timestamp
    ) -> Resolution {
        switch step.otherwise {
        case nil, .skip: return .skip(.noGrant, reason: refusal.description)
        case .hold(let longest):
            let deadline = position.due + longest
            guard now < deadline else {
                return .skip(
                    .noGrant,
                    reason: "held for \(DurationText.text(longest)); \(refusal.description)"
                )
            }
            return .hold(until: deadline, state: .heldWindow, reason: refusal.description)
        case .channel(let other):
            if let channels = account.channels, !channels.contains(other.kind.rawValue) {
                return .skip(
                    .noGrant,
                    reason: "\(refusal); this server has no channel '\(other.kind.rawValue)'"
                )
            }
            if case .consent(let template) = other.permission, var trial = ledger {
                do throws(NoPermission) {
                    _ = try trial.reserveConsent(template: template, at: now)
                } catch {
                    return .skip(.noGrant, reason: "\(refusal); \(error)")
                }
            }
            return fallBack(
                step,
                other,
                refusal.description,
                standing.content.flow,
                values,
                lookups
            )
        }
    }

    /// The step's message for the other channel, ready to go.
    private func fallBack(
        _ step: FlowStep,
        _ other: OtherChannel,
        _ reason: String,
        _ flow: Flow,
        _ values: TemplateValues,
        _ lookups: DeliveryLookups
    ) -> Resolution {
        var filled = OtherChannel(other.kind, body: values.fill(other.body))
        if flow.tracksLinks, let trackedLink = lookups.trackedLink {
            filled = TrackedLinks.replace(in: filled, with: trackedLink)
        }
        if let problem = filled.problem {
            return .skip(.dead, reason: "the message cannot be sent: \(problem); \(reason)")
        }
        return .fallBack(
            OutgoingStep(
                step: step.id,
                channel: other.kind.rawValue,
                body: filled.body.bytes,
                permission: other.permission,
                preview: filled.preview
            ),
            reason: reason
        )
    }

    private func message(
        _ step: FlowStep,
        _ position: FlowPosition,
        _ flow: Flow,
        _ values: TemplateValues,
        _ lookups: DeliveryLookups,
        _ now: Timestamp
    ) -> Resolution {
        var message = values.fill(step.message)
        for file in message.files {
            guard let id = lookups.mediaID(file) else {
                guard now < position.due + Self.mediaPatience else {
                    return .skip(.dead, reason: "the file '\(file.path)' was never uploaded")
                }
                return .hold(
                    until: now + Self.mediaWait,
                    state: .retrying,
                    reason: "the file '\(file.path)' is not uploaded yet"
                )
            }
            message = message.putting(id, for: file)
        }
        if flow.tracksLinks, let trackedLink = lookups.trackedLink {
            message = TrackedLinks.replace(in: message, with: trackedLink)
        }
        if let problem = MessageShape.problem(of: message) {
            return .skip(.dead, reason: "the message cannot be sent: \(problem)")
        }
        return .send(
            OutgoingStep(
                step: step.id,
                channel: account.channel,
                body: message.json.bytes,
                permission: .window,
                preview: message.preview
            )
        )
    }
}
