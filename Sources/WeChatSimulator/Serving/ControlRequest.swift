/// What a caller of `/_sim/…` asks for.
struct ControlRequest: Sendable {
    let body: JSONValue

    func text(_ name: String) -> String? {
        body[name].flatMap { value in value.string ?? value.integer.map { String($0) } }
    }

    func required(_ name: String) throws(ControlProblem) -> String {
        guard let value = text(name) else { throw ControlProblem("\"\(name)\" is missing") }
        return value
    }

    private func number(_ name: String) throws(ControlProblem) -> Double {
        guard let value = body[name]?.double else {
            throw ControlProblem("\"\(name)\" is not a number")
        }
        return value
    }

    func interaction(_ verb: String) throws(ControlProblem) -> Interaction {
        switch verb {
        case "unfollow": return .unfollow
        case "say": return .say(try required("text"))
        case "tap": return .tapMenu(key: try required("key"))
        case "view": return .view(url: try required("url"))
        case "view-miniprogram": return .viewMiniProgram(path: try required("path"))
        case "scan": return .scan(scene: try required("scene"))
        case "scan-code":
            return .scanCode(key: try required("key"), result: try required("result"))
        case "answer-menu":
            return .answerMenu(id: try required("id"), content: text("content") ?? "")
        case "accept", "decline":
            let answer = ConsentAnswer(try required("template"), accepted: verb == "accept")
            return .answerConsent([answer])
        case "withdraw": return .withdrawConsent([try required("template")])
        case "image": return .image(mediaID: try required("media_id"))
        case "voice": return .voice(mediaID: try required("media_id"), words: text("words"))
        case "video":
            return .video(
                mediaID: try required("media_id"),
                thumbMediaID: text("thumb_media_id") ?? ""
            )
        case "place":
            return .place(
                latitude: try number("latitude"),
                longitude: try number("longitude"),
                label: text("label") ?? ""
            )
        case "location":
            return .reportPosition(
                latitude: try number("latitude"),
                longitude: try number("longitude")
            )
        case "link":
            return .link(
                title: try required("title"),
                description: text("description") ?? "",
                url: try required("url")
            )
        default:
            throw ControlProblem(
                "no such verb: there are account, follow, crowd, unfollow, say, image, voice, video, place, "
                    + "link, tap, view, view-miniprogram, scan, scan-code, answer-menu, location, "
                    + "accept, decline, withdraw, report-notices, "
                    + "verify, hold, release, disorder, fault, clear-faults, void-tokens, clock"
            )
        }
    }

    func account(_ start: AccountSettings) throws(ControlProblem) -> AccountSettings {
        var account = start
        account.appID = text("appid") ?? account.appID
        account.secret = text("secret") ?? account.secret
        account.token = text("token") ?? account.token
        account.encodingAESKey = text("encoding_aes_key") ?? account.encodingAESKey
        account.originalID = text("original_id") ?? account.originalID
        account.callbackURL = text("callback_url") ?? account.callbackURL
        if EncodingKey(account.encodingAESKey) == nil {
            throw ControlProblem("\"encoding_aes_key\" is not 43 letters and digits")
        }
        if let url = account.callbackURL, !url.hasPrefix("http://"), !url.hasPrefix("https://") {
            throw ControlProblem("\"callback_url\" is not an http address")
        }
        account.mode = try choice("mode", account.mode)
        account.standing = try choice("standing", account.standing)
        account.enforcement = try choice("enforcement", account.enforcement)
        account.combination = try choice("combination", account.combination)
        account.noticeResult = try choice("notice_result", account.noticeResult)
        account.holdsReports = body["holds_reports"]?.bool ?? account.holdsReports
        if let name = text("windows") {
            guard let table = WindowTable.named(name) else {
                let names = WindowTable.eras.map(\.name).joined(separator: ", ")
                throw ControlProblem("\"windows\" is none of \(names)")
            }
            account.windows = table
        }
        if let attempts = body["attempts"]?.integer {
            guard (1...10).contains(attempts) else {
                throw ControlProblem("\"attempts\" is not from 1 to 10")
            }
            account.attempts = Int(attempts)
        }
        return account
    }

    private func choice<Value: RawRepresentable<String>>(
        _ name: String,
        _ start: Value
    ) throws(ControlProblem) -> Value {
        guard let text = text(name) else { return start }
        guard let value = Value(rawValue: text) else {
            throw ControlProblem("\"\(name)\" cannot be \(text)")
        }
        return value
    }

    func fault() throws(ControlProblem) -> FaultRule {
        let kind: Fault.Kind
        switch try required("kind") {
        case "busy": kind = .busy
        case "refuse": kind = .refuse(Int(body["code"]?.integer ?? -1))
        case "hang": kind = .hang
        case "reset": kind = .reset
        case "slow": kind = .slow(.milliseconds(body["milliseconds"]?.integer ?? 1000))
        case "html": kind = .html(status: try status())
        case "status": kind = .status(try status())
        default:
            throw ControlProblem(
                "\"kind\" is none of busy, refuse, hang, reset, slow, html, status"
            )
        }
        var fault = Fault(kind, afterAccepting: body["after_accepting"]?.bool ?? false)
        if let hold = body["hold_milliseconds"]?.integer { fault.hold = .milliseconds(hold) }
        let chance: FaultRule.Chance
        if let probability = body["probability"]?.double {
            guard (0...1).contains(probability) else {
                throw ControlProblem("\"probability\" is not from 0 to 1")
            }
            chance = .probability(probability)
        } else {
            chance = .next(Int(max(1, body["next"]?.integer ?? 1)))
        }
        return FaultRule(fault, chance, appID: text("appid"), path: text("path"))
    }

    private func status() throws(ControlProblem) -> Int {
        let status = body["status"]?.integer ?? 502
        guard (200...599).contains(status) else {
            throw ControlProblem("\"status\" is not from 200 to 599")
        }
        return Int(status)
    }
}
