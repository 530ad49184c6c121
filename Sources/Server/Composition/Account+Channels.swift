import BelfryChannels
import BelfryCore
import BelfryRecords
import BelfryWeChat

extension Account {
    /// Why nothing of this account can go out over a channel; `nil` if it can, as far as the account's settings tell.
    func problem(with channel: String) -> String? {
        if WeChatInterface(rawValue: channel) != nil {
            guard record.kind == .wechat else {
                return "is of WeChat, and the account '\(key)' is of kind \(record.kind.rawValue)"
            }
            guard record.secret != nil else {
                return "needs the account's appid and secret, and '\(key)' has none: "
                    + "belfry account set \(key) --app-id … --secrets FILE"
            }
        }
        if channel == "webhook", webhookTarget(timeout: .zero) == nil {
            return "needs the account's webhook address and secret, and '\(key)' lacks one: "
                + "belfry account set \(key) --webhook-url … --secrets FILE"
        }
        return nil
    }
}
