extension WeChatSimulator {
    /// `POST /_sim/…`: what can be done.
    ///
    /// - Throws: ``ControlProblem`` or ``SimulatorError``.
    func control(_ verb: String, _ body: JSONValue) async throws -> JSONValue {
        switch verb {
        case "account": return try putAccount(body).view
        case "clock": return try jump(body)
        case "fault":
            add(try ControlRequest(body: body).fault())
            return ["ok": true]
        case "clear-faults":
            clearFaults()
            return ["ok": true]
        default: return try await act(verb, ControlRequest(body: body))
        }
    }

    private func act(_ verb: String, _ request: ControlRequest) async throws -> JSONValue {
        let appID = try request.text("appid") ?? soleAccount()
        switch verb {
        case "follow":
            return try await follow(
                appID,
                openID: request.text("openid"),
                scene: request.text("scene")
            ).view
        case "crowd":
            guard let people = request.body["people"]?.integer, (1...1_000_000).contains(people)
            else { throw ControlProblem("\"people\" is not from 1 to 1000000") }
            let report = try await crowd(Int(people), following: appID)
            return [
                "answered": .integer(Int64(report.answered)),
                "failed": .integer(Int64(report.failed)), "seconds": .number(report.seconds),
            ]
        case "scan":
            if let ticket = request.text("ticket") {
                let openID = try request.text("openid") ?? newOpenID(appID)
                return try await scan(ticket: ticket, by: openID, of: appID).view
            }
        case "verify":
            switch try await verifyCallback(of: appID) {
            case .passed: return ["passed": true]
            case .failed(let reason): return ["passed": false, "detail": .string(reason)]
            }
        case "hold":
            try holdCallbacks(of: appID)
            return ["ok": true]
        case "release":
            let order: ReleaseOrder =
                request.text("order") == "reversed"
                ? .reversed : request.text("order") == "shuffled" ? .shuffled : .asHappened
            let reports = try await releaseCallbacks(
                of: appID,
                order: order,
                copies: Int(request.body["copies"]?.integer ?? 1)
            )
            return .array(reports.map(\.view))
        case "disorder":
            try disorder(
                CallbackDisorder(
                    duplicates: request.body["duplicates"]?.double ?? 0,
                    swaps: request.body["swaps"]?.double ?? 0
                ),
                of: appID
            )
            return ["ok": true]
        case "report-notices": return .array(try await reportNotices(of: appID).map(\.view))
        case "void-tokens":
            try voidTokens(of: appID)
            return ["ok": true]
        default: break
        }
        let interaction = try request.interaction(verb)
        let openID = try request.required("openid")
        return try await perform(interaction, by: openID, of: appID).view
    }

    /// A new account, with made-up credentials where none are given, or changes to one that is there.
    private func putAccount(_ body: JSONValue) throws -> AccountSettings {
        let request = ControlRequest(body: body)
        let known = request.text("appid").flatMap { appID in
            accounts.first { $0.appID == appID }
        }
        let settings = try request.account(
            known ?? .sample(request.text("name") ?? "account-\(accounts.count + 1)")
        )
        put(settings)
        return settings
    }

    private func jump(_ body: JSONValue) throws -> JSONValue {
        guard let jump = clock.jump else { throw SimulatorError.clockCannotJump }
        let milliseconds =
            body["milliseconds"]?.integer ?? body["seconds"]?.integer.map { $0 * 1000 }
        guard let milliseconds else {
            throw ControlProblem("say \"seconds\" or \"milliseconds\"")
        }
        jump(milliseconds)
        return ["now": .integer(clock.now())]
    }
}
