/// An Official Account as its owner configured it, and how the platform treats it.
package struct AccountSettings: Sendable, Hashable {
    /// How callbacks are encrypted.
    package enum Mode: String, Sendable, Hashable {
        case plain
        /// The plain fields and `Encrypt` side by side.
        case compat
        case safe
    }

    /// The format of callback bodies.
    package enum BodyFormat: String, Sendable, Hashable {
        case xml
        case json
    }

    package enum Standing: String, Sendable, Hashable {
        case verified
        /// Customer-service messages are refused with 48001.
        case unverified
        /// A test account: `msgmenu` is refused with 40200, quotas are smaller.
        case test
    }

    /// What happens to a message that no window permits.
    package enum Enforcement: String, Sendable, Hashable {
        /// Refused with 45015 or 45047, as WeChat does.
        case refuse
        /// Delivered and counted as sent without permission: shows what a sender would have done.
        case record
    }

    /// What happens to JSON with `\uXXXX` escapes; both have been seen.
    package enum Escapes: String, Sendable, Hashable {
        /// 47002.
        case refuse
        /// Delivered; the person sees the escapes as they are, and the delivery is marked as garbled.
        case showLiterally = "show_literally"
    }

    package var appID: String
    package var secret: String
    /// 3-32 letters and digits.
    package var token: String
    /// 43 letters and digits.
    package var encodingAESKey: String
    /// `gh_` and 12 hexadecimal digits.
    package var originalID: String
    package var mode = Mode.safe
    package var bodyFormat = BodyFormat.xml
    package var standing = Standing.verified
    package var windows = WindowTable.current
    package var combination = WindowCombination.shortestFirst
    package var enforcement = Enforcement.refuse
    package var escapes = Escapes.refuse
    /// The answer for a person who does not follow: 45015 or 43004.
    package var unfollowedCode = 45_015
    /// Where callbacks are pushed to; nil pushes nothing.
    package var callbackURL: String?
    /// How often a callback without an answer is pushed in all: 3 as measured, 4 by the wording of the manual.
    package var attempts = 3
    /// How long an answer to a callback is waited for, in real time.
    package var answerTimeout = Duration.seconds(5)
    /// Addresses that may fetch access tokens; nil for all.
    package var allowedIPs: Set<String>?
    /// Daily limits by path, in place of WeChat's.
    package var dailyLimits: [String: Int] = [:]
    /// Messages a minute before 45011; the real threshold is not published. nil for any number.
    package var sendsPerMinute: Int?
    /// The templates, each with the names of its fields; nil accepts any.
    package var templates: [String: Set<String>]?
    /// What becomes of template messages and subscribe notifications that were accepted.
    package var noticeResult = NoticeResult.success
    /// Nothing is told about them until ``WeChatSimulator/reportNotices(of:)``.
    package var holdsReports = false
    /// Whether the report about a message with a `client_msg_id` names it; false gives 0, as has been seen.
    package var reportsNamedIDs = true
    /// Known customer-service agents; nil accepts any well-formed name.
    package var agents: Set<String>?

    package init(
        appID: String,
        secret: String,
        token: String,
        encodingAESKey: String,
        originalID: String,
        callbackURL: String? = nil
    ) {
        self.appID = appID
        self.secret = secret
        self.token = token
        self.encodingAESKey = encodingAESKey
        self.originalID = originalID
        self.callbackURL = callbackURL
    }

    /// An account with made-up credentials, the same for the same name.
    package static func sample(_ name: String, callbackURL: String? = nil) -> AccountSettings {
        var seed: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var random = SeededRandom(seed: seed)
        var key = ""
        while key.utf8.count < 43 {
            for letter in random.word(43) where letter != "_" && letter != "-" {
                key.append(letter)
            }
        }
        return AccountSettings(
            appID: "wx" + random.hex(16),
            secret: random.hex(32),
            token: "token" + random.hex(12),
            encodingAESKey: String(key.prefix(43)),
            originalID: "gh_" + random.hex(12),
            callbackURL: callbackURL
        )
    }
}
