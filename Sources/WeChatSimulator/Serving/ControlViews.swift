extension WeChatSimulator {
    /// `GET /_sim/…`: what there is to see.
    func look(_ path: String, _ query: [String: String]) throws -> JSONValue {
        let since = query["since"].flatMap { Int64($0) }
        let limit = query["limit"].flatMap { Int($0) } ?? 100
        switch path {
        case "time": return ["now": .integer(clock.now()), "can_jump": .bool(clock.jump != nil)]
        case "accounts": return .array(accounts.map(\.view))
        case "log":
            let newest = since ?? max(0, count - Int64(limit))
            return .array(deliveries(since: newest).prefix(limit).map(\.view))
        case "refused":
            let total = change { $0.log.refusals.total }
            let newest = since ?? max(0, total - Int64(limit))
            return .array(refusals(since: newest).prefix(limit).map(\.view))
        case "summary": return summary.view
        case "followers": return try followers(query["appid"], limit)
        case "faults": return .array(faults.map { .string("\($0)") })
        default:
            throw ControlProblem(
                "no such view: there are time, accounts, followers, log, refused, summary, faults"
            )
        }
    }

    private func followers(_ appID: String?, _ limit: Int) throws -> JSONValue {
        let appID = try appID ?? soleAccount()
        let now = clock.now()
        return try change { world throws(SimulatorError) in
            let account = world[try world.find(appID)]
            return .array(account.followers.prefix(limit).map { $1.view($0, at: now) })
        }
    }

    /// The account, when there is only one.
    func soleAccount() throws(ControlProblem) -> String {
        let all = accounts
        guard all.count == 1 else { throw ControlProblem("say which account: \"appid\"") }
        return all[0].appID
    }
}

extension AccountSettings {
    var view: JSONValue {
        [
            "appid": .string(appID), "secret": .string(secret), "token": .string(token),
            "encoding_aes_key": .string(encodingAESKey), "original_id": .string(originalID),
            "mode": .string(mode.rawValue), "standing": .string(standing.rawValue),
            "windows": .string(windows.name),
            "callback_url": callbackURL.map { .string($0) } ?? .null,
        ]
    }
}

extension Follower {
    func view(_ openID: String, at now: Int64) -> JSONValue {
        [
            "openid": .string(openID), "subscribed": .bool(subscribed), "scene": .string(scene),
            "consents": .object(consents.mapValues { .integer(Int64($0)) }),
            "windows": .array(
                windows.windows.filter { $0.closesAt > now }.map { window in
                    [
                        "action": .string(window.action.rawValue),
                        "closes_at": .integer(window.closesAt),
                        "left": window.left.map { .integer(Int64($0)) } ?? .null,
                    ]
                }
            ),
        ]
    }
}

extension Delivery {
    var view: JSONValue {
        // Our own text, written by this simulator: it parses.
        let content = (try? JSONValue.parse(Array(content.utf8))) ?? .null
        return [
            "sequence": .integer(sequence), "time": .integer(time), "appid": .string(appID),
            "openid": .string(openID), "kind": .string(kind.rawValue), "type": .string(type),
            "content": content, "window": window.map { .string($0.rawValue) } ?? .null,
            "permitted": .bool(permitted), "garbled": .bool(garbled),
        ]
    }
}

extension Refusal {
    var view: JSONValue {
        [
            "sequence": .integer(sequence), "time": .integer(time), "appid": .string(appID),
            "openid": .string(openID), "type": .string(type), "errcode": .integer(Int64(code)),
        ]
    }
}

extension DeliverySummary {
    var view: JSONValue {
        func number(_ value: Int) -> JSONValue { .integer(Int64(value)) }
        return [
            "custom": number(custom), "passive": number(passive),
            "template": number(template), "subscribe": number(subscribe),
            "notices_lost": number(noticesLost),
            "unavailable": number(unavailable), "by_type": .object(byType.mapValues(number)),
            "sent_without_permission": number(sentWithoutPermission),
            "duplicated": number(duplicated), "refused": number(refused),
            "refused_by_code": .object(
                Dictionary(
                    uniqueKeysWithValues: refusedByCode.map { (String($0), number($1)) }
                )
            ),
            "refused_without_permission": number(refusedWithoutPermission),
            "callbacks_answered": number(callbacksAnswered),
            "callbacks_failed": number(callbacksFailed),
            "callback_requests": number(callbackRequests),
        ]
    }
}

extension CallbackReport {
    var view: JSONValue {
        let (name, detail): (String, String?) =
            switch outcome {
            case .acknowledged: ("acknowledged", nil)
            case .replied(let type): ("replied", type)
            case .failed(let reason): ("failed", reason)
            case .held: ("held", nil)
            case .notPushed: ("not_pushed", nil)
            }
        return [
            "openid": .string(openID),
            "msgid": messageID.map { .string(String($0)) } ?? .null,
            "create_time": .integer(createTime), "attempts": .integer(Int64(attempts)),
            "outcome": .string(name), "detail": detail.map { .string($0) } ?? .null,
        ]
    }
}
