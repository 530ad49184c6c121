import BelfryActivation
import BelfryCore
import BelfryRecords
import BelfryWeChat
import FoundationEssentials

extension PermissionRules {
    /// The rules that an account has chosen.
    init(_ record: AccountRecord) throws {
        switch record.rules {
        case .preset(let name):
            guard let preset = PermissionRules.preset(name) else {
                throw AccountFault("rules: there is no preset '\(name)'")
            }
            self = preset
        case .table(let json):
            self = try PermissionRules.parse(Array(json.utf8))
        }
        guard !isUnlimited else { return }
        combination =
            switch record.combine {
            case .refresh: .refresh
            case .add: .add
            case .separate: .separate
            }
    }
}

extension AccountRecord {
    /// How to believe the account's callbacks; `nil` without a token.
    var callbackSettings: WeChatCallback.Settings? {
        get throws {
            guard kind == .wechat, let token else { return nil }
            var keys: [EncodingAESKey] = []
            for secret in [encodingAESKey, previousEncodingAESKey].compactMap(\.self) {
                keys.append(try EncodingAESKey(secret.reveal()))
            }
            let mode: WeChatCallback.Mode =
                switch mode {
                case .plain: .plain
                case .compat: .compat
                case .safe: .safe
                }
            return WeChatCallback.Settings(
                token: token.reveal(),
                mode: mode,
                keys: keys,
                tailID: appID,
                originalID: originalID
            )
        }
    }
}

/// Something in an account's settings that cannot be used.
struct AccountFault: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

extension QuietHours {
    /// - Parameter json: `{"from":"22:00","to":"08:00"}`; `nil` for anything else.
    init?(json: String) {
        struct Wire: Decodable {
            var from: String
            var to: String
        }
        guard let wire = try? JSONDecoder().decode(Wire.self, from: Data(json.utf8)),
            let from = LocalTime(wire.from), let to = LocalTime(wire.to)
        else { return nil }  // What is wrong does not matter: the caller shows the whole text.
        self.init(from: from, to: to)
    }
}
