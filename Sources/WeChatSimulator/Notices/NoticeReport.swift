/// What becomes of a template message or subscribe notification whose call was accepted.
package enum NoticeResult: String, Sendable, Hashable, CaseIterable {
    case success
    /// The person blocks the account's messages; only template messages are told so.
    case userBlock = "user_block"
    case systemFailed = "system_failed"
    /// The person sees it, but no event ever tells.
    case never

    var isSeen: Bool { self == .success || self == .never }
}

/// What WeChat will push about one notice.
struct NoticeReport: Sendable, Hashable {
    var kind: Delivery.Kind
    var openID: String
    var templateID: String
    /// 0 has been seen where the message had a `client_msg_id`.
    var messageID: Int64
    var result: NoticeResult

    /// TEMPLATESENDJOBFINISH; the blank in one of the words is WeChat's.
    var finished: Interaction {
        let status =
            switch result {
            case .success, .never: "success"
            case .userBlock: "failed:user block"
            case .systemFailed: "failed: system failed"
            }
        return .report(
            "TEMPLATESENDJOBFINISH",
            [Field("MsgID", messageID), Field("Status", status)]
        )
    }

    /// subscribe_msg_sent_event, with one `List` for each notification.
    static func sent(_ reports: [NoticeReport]) -> Interaction {
        .report(
            "subscribe_msg_sent_event",
            [
                Field(
                    "SubscribeMsgSentEvent",
                    reports.map { report in
                        Field(
                            "List",
                            [
                                Field("TemplateId", report.templateID),
                                Field("MsgID", String(report.messageID)),
                                Field("ErrorCode", Int64(report.result == .success ? 0 : 20_001)),
                                Field(
                                    "ErrorStatus",
                                    report.result == .success ? "success" : "system failed"
                                ),
                            ]
                        )
                    }
                )
            ]
        )
    }
}

extension WeChatSimulator {
    /// Pushes what there is to tell about template messages and subscribe notifications; those notifications of one
    /// person that wait together are told in one event.
    @discardableResult
    package func reportNotices(of appID: String) async throws(SimulatorError) -> [CallbackReport] {
        let now = clock.now()
        let callbacks = try change { world throws(SimulatorError) in
            let number = try world.find(appID)
            let reports = world[number].reports
            world[number].reports = []
            return world[number].callbacks(for: reports, at: now)
        }
        var answers: [CallbackReport] = []
        for callback in callbacks { answers.append(await push(callback)) }
        return answers
    }

    /// As WeChat does, some time after the call was answered.
    func reportLater(_ call: APICall) {
        guard call.path.hasPrefix("/cgi-bin/message/") else { return }
        let appID = change { world -> String? in
            let number = call.query["access_token"].flatMap { world.number(ofToken: $0) }
            guard let number, !world[number].reports.isEmpty,
                !world[number].settings.holdsReports
            else { return nil }
            return world[number].settings.appID
        }
        guard let appID else { return }
        Task {
            // Accounts are never removed.
            _ = try? await reportNotices(of: appID)
        }
    }
}

extension SimulatedAccount {
    fileprivate func callbacks(for reports: [NoticeReport], at now: Int64) -> [Callback] {
        var interactions: [(String, Interaction)] = []
        var gathered: [String: [NoticeReport]] = [:]
        for report in reports {
            if report.kind == .template {
                interactions.append((report.openID, report.finished))
            } else {
                gathered[report.openID, default: []].append(report)
            }
        }
        for openID in gathered.keys.sorted() {
            interactions.append((openID, NoticeReport.sent(gathered[openID] ?? [])))
        }
        return interactions.map { openID, interaction in
            Callback(
                settings,
                openID: openID,
                createTime: now / 1000,
                messageID: nil,
                interaction
            )
        }
    }
}
