extension WeChatSimulator {
    /// Somebody does something; WeChat keeps its books and pushes a callback. Returns when that is answered or given up.
    @discardableResult
    package func perform(
        _ interaction: Interaction,
        by openID: String,
        of appID: String
    ) async throws(SimulatorError) -> CallbackReport {
        let now = clock.now()
        let (callback, held) = try change { world throws(SimulatorError) in
            let number = try world.find(appID)
            let callback = world[number].act(interaction, by: openID, at: now)
            let disorder = world[number].disorder
            if disorder.holdsAll || world.random.chance(disorder.swaps) {
                world[number].held.append(callback)
                return (callback, true)
            }
            return (callback, false)
        }
        if held { return report(callback, 0, .held) }
        let report = await push(callback)
        let (copies, late) = try change { world throws(SimulatorError) in
            let number = try world.find(appID)
            let disorder = world[number].disorder
            let again = report.isAnswered && world.random.chance(disorder.duplicates)
            if disorder.holdsAll { return (again ? 1 : 0, [Callback]()) }
            let late = world[number].held
            world[number].held = []
            return (again ? 1 : 0, late)
        }
        if copies > 0 { await pushCopy(of: callback) }
        for callback in late { _ = await push(callback) }
        return report
    }

    /// A new person, or the one named, follows. Returns who it was.
    @discardableResult
    package func follow(
        _ appID: String,
        openID: String? = nil,
        scene: String? = nil
    ) async throws(SimulatorError) -> CallbackReport {
        let person: String
        if let openID { person = openID } else { person = try newOpenID(appID) }
        return try await perform(.follow(scene: scene), by: person, of: appID)
    }

    @discardableResult
    package func unfollow(
        _ appID: String,
        openID: String
    ) async throws(SimulatorError) -> CallbackReport {
        try await perform(.unfollow, by: openID, of: appID)
    }

    @discardableResult
    package func say(
        _ text: String,
        by openID: String,
        to appID: String
    ) async throws(SimulatorError) -> CallbackReport {
        try await perform(.say(text), by: openID, of: appID)
    }

    /// Scans the QR code of a ticket: whoever does not follow yet follows.
    @discardableResult
    package func scan(
        ticket: String,
        by openID: String,
        of appID: String
    ) async throws(SimulatorError) -> CallbackReport {
        let now = clock.now()
        let (scene, follows) = try change { world throws(SimulatorError) in
            let account = world[try world.find(appID)]
            guard let code = account.scenes.code(ticket, at: now) else {
                throw SimulatorError.unknownTicket(ticket)
            }
            return (code.scene, account.followers[openID]?.subscribed ?? false)
        }
        return try await perform(
            follows
                ? .scan(scene: scene, ticket: ticket) : .follow(scene: scene, ticket: ticket),
            by: openID,
            of: appID
        )
    }

    // MARK: Disorder

    package func disorder(
        _ disorder: CallbackDisorder,
        of appID: String
    ) throws(SimulatorError) {
        try change { world throws(SimulatorError) in
            world[try world.find(appID)].disorder = disorder
        }
    }

    /// From now on callbacks are kept back.
    package func holdCallbacks(of appID: String) throws(SimulatorError) {
        try disorder(CallbackDisorder(holdsAll: true), of: appID)
    }

    package enum ReleaseOrder: Sendable {
        case asHappened
        case reversed
        /// By the simulator's seed.
        case shuffled
    }

    /// Pushes what was kept back, one after the other, each `copies` times, and keeps nothing back any more.
    @discardableResult
    package func releaseCallbacks(
        of appID: String,
        order: ReleaseOrder = .asHappened,
        copies: Int = 1
    ) async throws(SimulatorError) -> [CallbackReport] {
        let callbacks = try change { world throws(SimulatorError) in
            let number = try world.find(appID)
            var callbacks = world[number].held
            world[number].held = []
            world[number].disorder.holdsAll = false
            switch order {
            case .asHappened: break
            case .reversed: callbacks.reverse()
            case .shuffled: callbacks.shuffle(using: &world.random)
            }
            return callbacks
        }
        var reports: [CallbackReport] = []
        for callback in callbacks {
            reports.append(await push(callback))
            for _ in 1..<max(1, copies) { await pushCopy(of: callback) }
        }
        return reports
    }

    // MARK: One push

    private func pushCopy(of callback: Callback) async {
        var copy = callback
        copy.isCopy = true
        _ = await push(copy)
    }

    /// Up to three attempts, or as many as the account says.
    func push(_ callback: Callback) async -> CallbackReport {
        guard let url = callback.account.callbackURL else {
            return report(callback, 0, .notPushed)
        }
        let account = callback.account
        var reason = ""
        for attempt in 1...max(1, account.attempts) {
            let started = ContinuousClock.now
            let request: CallbackRequest
            do throws(CallbackProblem) {
                request = try self.request(callback)
            } catch {
                return finish(callback, attempt - 1, .failed(error.reason))
            }
            let answer = await wire.post(request, to: url, timeout: account.answerTimeout)
            switch answer {
            case .body(let body):
                return finish(callback, attempt, judge(body, callback))
            // That a wrong status is repeated is an assumption: only silence is documented.
            case .status(let status): reason = "status \(status)"
            case .none(let why): reason = why
            }
            if Task.isCancelled { return finish(callback, attempt, .failed(reason)) }
            if attempt < account.attempts {
                let rest = account.answerTimeout - (ContinuousClock.now - started)
                await wait(rest)
            }
        }
        return finish(callback, account.attempts, .failed(reason))
    }

    /// Attempts are about as far apart as an answer is waited for.
    private func wait(_ rest: Duration) async {
        let milliseconds =
            rest.components.seconds * 1000 + rest.components.attoseconds / 1_000_000_000_000_000
        if milliseconds <= 0 { return }
        // Cancelled: the loop sees it after its next attempt.
        try? await clock.sleepUntil(clock.now() + milliseconds)
    }

    private func request(_ callback: Callback) throws(CallbackProblem) -> CallbackRequest {
        let timestamp = String(clock.now() / 1000)
        let (nonce, random) = change { world in
            world.log.count { $0.callbackRequests += 1 }
            return (
                String(UInt32.random(in: 1...UInt32.max, using: &world.random)),
                Array(world.random.word(16).utf8)
            )
        }
        return try CallbackRequest.make(
            callback,
            timestamp: timestamp,
            nonce: nonce,
            random: random
        )
    }

    private func judge(_ body: [UInt8], _ callback: Callback) -> CallbackReport.Outcome {
        let now = clock.now()
        return change { world in
            guard let number = world.number(of: callback.account.appID) else {
                return .failed("the account is gone")
            }
            let verdict = ReplyVerdict.judge(body, of: callback) { id in
                world[number].media.item(id, at: now) != nil
            }
            switch verdict {
            case .acknowledged: return .acknowledged
            case .malformed(let reason): return .failed(reason)
            case .reply(let reply):
                world.show(reply, of: callback, number, at: now)
                return .replied(reply.type)
            }
        }
    }

    private func finish(
        _ callback: Callback,
        _ attempts: Int,
        _ outcome: CallbackReport.Outcome
    ) -> CallbackReport {
        let report = report(callback, attempts, outcome)
        if callback.isCopy { return report }
        let now = clock.now()
        change { world in
            world.log.count {
                if report.isAnswered {
                    $0.callbacksAnswered += 1
                } else {
                    $0.callbacksFailed += 1
                }
            }
            // Seen for what people write; for events nothing was reported.
            if case .failed(let reason) = outcome, callback.type != "event" {
                world.showUnavailable(reason, callback, at: now)
            }
        }
        return report
    }

    private func report(
        _ callback: Callback,
        _ attempts: Int,
        _ outcome: CallbackReport.Outcome
    ) -> CallbackReport {
        CallbackReport(
            openID: callback.openID,
            messageID: callback.messageID,
            createTime: callback.createTime,
            attempts: attempts,
            outcome: outcome
        )
    }
}

extension World {
    /// A passive reply needs no window and is not counted in one, but somebody must be there to read it; in answer to a
    /// copy it is not shown again.
    fileprivate mutating func show(
        _ reply: PassiveReply,
        of callback: Callback,
        _ number: Int,
        at now: Int64
    ) {
        if callback.isCopy || reply.type == "transfer_customer_service" { return }
        guard self[number].followers[callback.openID]?.subscribed == true else { return }
        log.deliver(
            Delivery(
                sequence: 0,
                time: now,
                appID: callback.account.appID,
                openID: callback.openID,
                kind: .passive,
                type: reply.type,
                content: reply.content.text,
                window: nil,
                permitted: true
            ),
            duplicate: false
        )
    }

    fileprivate mutating func showUnavailable(
        _ reason: String,
        _ callback: Callback,
        at now: Int64
    ) {
        log.deliver(
            Delivery(
                sequence: 0,
                time: now,
                appID: callback.account.appID,
                openID: callback.openID,
                kind: .unavailable,
                type: "",
                content: JSONValue.object(["reason": .string(reason)]).text,
                window: nil,
                permitted: true
            ),
            duplicate: false
        )
    }
}
