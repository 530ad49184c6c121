import BelfryCore
import BelfryRecords
import BelfryWeChat

extension DeliveryReport {
    /// What a callback tells of messages that were accepted before; empty where it tells of none.
    static func list(_ inbound: Inbound, account: Account) -> [DeliveryReport] {
        guard case .event(let event) = inbound else { return [] }
        let key = inbound.dedupeKey(appID: account.record.appID)
        let recipient = Recipient(account: account.key, person: inbound.head.openID)
        let at = inbound.head.created
        switch event.content {
        case .templateFinished(let result):
            return [
                DeliveryReport(
                    key: key,
                    at: at,
                    recipient: recipient,
                    channel: WeChatInterface.template.rawValue,
                    // 0 has been seen where the message had a name of ours.
                    reference: ["", "0"].contains(event.messageID) ? nil : event.messageID,
                    outcome: result.outcome,
                    cause: result.cause
                )
            ]
        case .subscribeSent(let results):
            return results.enumerated().map { index, result in
                DeliveryReport(
                    key: "\(key)|\(index)",
                    at: at,
                    recipient: recipient,
                    channel: WeChatInterface.subscribe.rawValue,
                    reference: result.messageID.isEmpty ? nil : result.messageID,
                    standIn: result.templateID,
                    outcome: result.code == 0 ? .sent : .dead,
                    cause: result.cause
                )
            }
        default: return []
        }
    }

    fileprivate static let arrived = SendCause(
        code: delivered,
        message: "WeChat tells that it was delivered"
    )

    fileprivate static func failed(_ why: String) -> SendCause {
        SendCause(
            code: "notice_failed",
            message: "WeChat accepted it, and tells that it could not be delivered: \(why)",
            remedy: "Schedule it again if it still matters."
        )
    }
}

extension TemplateResult {
    fileprivate var outcome: Outcome {
        switch self {
        case .success: .sent
        case .userBlock: .refused43101
        case .failed: .dead
        }
    }

    fileprivate var cause: SendCause {
        switch self {
        case .success: DeliveryReport.arrived
        case .userBlock:
            SendCause(
                code: "user_block",
                message: "WeChat accepted it, and tells that the person blocks such messages"
            )
        case .failed(let why): DeliveryReport.failed(why)
        }
    }
}

extension SubscribeResult {
    fileprivate var cause: SendCause {
        code == 0 ? DeliveryReport.arrived : DeliveryReport.failed("\(code) \(status)")
    }
}
