import BelfryCore

/// Every error code that the interfaces Belfry uses can answer, as data. Decisions are made on the code alone; WeChat's text is
/// kept for support tickets.
package enum WeChatErrorTable {
    package static func rule(for code: Int) -> WeChatErrorRule { byCode[code] ?? unknown(code) }

    /// Whether the table has a line of its own for a code.
    package static func knows(_ code: Int) -> Bool { byCode[code] != nil }

    /// Errors that stop an account although they are about one interface alone: its quota, permission or ban.
    package static let ofOneInterface: Set<Int> = [45009, 48001, 48004, 61007]

    package static let rules: [WeChatErrorRule] =
        passing + credentials + people + contents + account + platform

    private static let byCode: [Int: WeChatErrorRule] = {
        var table: [Int: WeChatErrorRule] = [:]
        for rule in rules {
            for code in rule.codes {
                precondition(table[code] == nil, "\(code) stands twice in the table")
                table[code] = rule
            }
        }
        return table
    }()

    /// An error was answered, so nothing was accepted; and nobody can say that another try would help.
    private static func unknown(_ code: Int) -> WeChatErrorRule {
        .giveUp(
            code,
            cause: "WeChat answered the error \(code), which Belfry does not know",
            remedy: "look the code up in WeChat's list of return codes, then retry or discard"
        )
    }

    // MARK: What passes by itself

    private static let passing: [WeChatErrorRule] = [
        .retry(-1, cause: "WeChat's system is busy"),
        .retry(
            45011,
            after: .minutes(1),
            cause: "WeChat takes no more calls of this kind this minute",
            remedy: "lower the account's rate if this repeats"
        ),
        .retry(
            61005,
            61006,
            after: .minutes(10),
            cause: "the platform's ticket has expired or is invalid",
            remedy:
                "WeChat pushes a new ticket every ten minutes; if none comes, start the pushes again"
        ),
        .giveUp(
            43117,
            cause: "this person was sent too many messages in a short time",
            remedy: "retry later"
        ),
        .giveUp(
            40241,
            cause: "the same template message went to this person within the last minute",
            remedy: "nothing: it is a duplicate"
        ),
        .giveUp(
            45072,
            45080,
            45081,
            cause: "the typing indicator could not be shown",
            remedy: "nothing: messages are not touched by it"
        ),
    ]

    // MARK: Tokens and secrets

    private static let credentials: [WeChatErrorRule] = [
        .token(
            40001,
            cause: "the access token is not the newest, or the secret is wrong",
            remedy: "if it repeats: check the AppSecret, and whether another program fetches tokens"
        ),
        .token(
            40014,
            cause: "the access token is not valid",
            remedy: "if it repeats: check that the account's base URL belongs to its appid"
        ),
        .token(
            42001,
            cause: "the access token has expired",
            remedy: "if it repeats: check the clock of this machine"
        ),
        .stop(
            40013,
            40125,
            cause: "the appid or the AppSecret is wrong",
            remedy: "enter the appid and the AppSecret from the WeChat console, then resume"
        ),
        .stop(
            40243,
            cause: "the AppSecret is frozen",
            remedy: "unfreeze or reset the AppSecret in the WeChat console, then resume"
        ),
        .stop(
            40164,
            cause: "the address of this machine is not on the account's IP whitelist",
            remedy: "add the address that the error names to the IP whitelist, then resume"
        ),
        .stop(
            89503,
            89506,
            89507,
            cause: "the account's administrator has to confirm calls from this address",
            remedy: "ask the administrator to confirm, or put the address on the IP whitelist"
        ),
        .stop(
            42007,
            cause: "the account's administrator changed the password: all tokens are void",
            remedy: "authorise the account again, then resume"
        ),
        .fix(
            40002,
            41001,
            41002,
            41004,
            41005,
            cause: "the call lacked its grant type, access token, appid, secret or file",
            remedy: "report this as a defect of Belfry"
        ),
        .fix(
            43001,
            43002,
            43003,
            cause: "the call needs GET, POST or HTTPS",
            remedy: "check the account's base URL: it must begin with https://"
        ),
    ]

    // MARK: The person

    private static let people: [WeChatErrorRule] = [
        .ledger(
            45015,
            correct: .windowClosed,
            outcome: .window45015,
            cause:
                "the window for messages is closed, or the person has unfollowed or blocked the account",
            remedy:
                "wait until the person writes, or use a template message or subscribe notification"
        ),
        .ledger(
            45047,
            correct: .countUsed,
            outcome: .count45047,
            cause: "the window's number of messages is used up",
            remedy: "wait until the person acts again"
        ),
        .ledger(
            43101,
            correct: .refused,
            outcome: .refused43101,
            cause: "the person refused, or the consent is used up",
            remedy: "ask for consent again"
        ),
        .ledger(
            48002,
            correct: .refused,
            outcome: .refused43101,
            cause: "the person has switched off messages of this account",
            remedy: ""
        ),
        .ledger(
            43004,
            50005,
            correct: .unfollowed,
            outcome: .unsubscribed,
            cause: "the person does not follow the account",
            remedy: ""
        ),
        .giveUp(
            40003,
            cause: "the openid is not one of this account",
            remedy: "check that the person belongs to this account: openids differ between accounts"
        ),
        .giveUp(
            43019,
            cause: "the person is on the account's blacklist",
            remedy: "take the person off the blacklist in the WeChat console if that is not meant"
        ),
        .giveUp(50001, cause: "the person has not authorised the account"),
        .giveUp(70000, cause: "WeChat's protection of minors forbids the message"),
    ]

    // MARK: The message

    private static let contents: [WeChatErrorRule] = [
        WeChatErrorRule(
            codes: [40007],
            action: .reupload,
            outcome: .dead,
            cause: "the media id is invalid or has expired",
            remedy: "name the file (file:NAME) instead of a media id: it is then uploaded anew"
        ),
        .fix(
            40004,
            40005,
            40006,
            cause: "the media has a type or size that WeChat does not take",
            remedy: "use a file within WeChat's limits"
        ),
        .fix(40008, cause: "the type of message is invalid", remedy: "choose another type"),
        .fix(
            40033,
            47002,
            cause: "the text carries escaped characters",
            remedy: "report this as a defect of Belfry"
        ),
        .fix(
            40165,
            41030,
            cause: "the mini program has no such page",
            remedy: "correct the page path"
        ),
        .giveUp(
            40200,
            cause: "this kind of account cannot send this type of message",
            remedy: "use another type; menus need a verified account"
        ),
        .fix(44002, 44003, 44004, cause: "the message is empty", remedy: "fill in its text"),
        .fix(45002, cause: "the text is too long", remedy: "keep it within 2048 bytes"),
        .fix(
            45003,
            45004,
            45005,
            45006,
            cause: "a title, description or web address is too long",
            remedy: "shorten it"
        ),
        .fix(45007, cause: "the voice is too long", remedy: "keep it within 60 seconds"),
        .fix(45008, cause: "the message has too many articles", remedy: "keep exactly one"),
        .fix(
            45048,
            45050,
            cause: "this type of message cannot be used here",
            remedy: "choose another type"
        ),
        .fix(
            45098,
            45099,
            cause: "the menu has too many or too long entries",
            remedy: "shorten the menu"
        ),
        .fix(
            53600,
            cause: "there is no published article of this id",
            remedy: "publish the article, or correct the id"
        ),
        .fix(
            61451,
            61452,
            cause: "the account has no such customer-service agent",
            remedy: "correct the agent: name@alias as in the WeChat console"
        ),
        .fix(45157, 45158, 45159, cause: "the tag is not valid", remedy: "correct the tag"),
        .giveUp(
            45162,
            45166,
            45168,
            cause: "WeChat does not allow this content",
            remedy: "change the text: it may hold a forbidden word"
        ),
        .fix(47001, cause: "WeChat could not read the JSON", remedy: "report this as a defect"),
        .fix(
            47003,
            cause: "a value of the template is not valid; the answer names the field",
            remedy: "correct the field"
        ),
        .giveUp(
            48008,
            cause: "the account may not send this type of message",
            remedy: "choose another type"
        ),
        .giveUp(
            40036,
            40037,
            cause: "the template does not belong to this account",
            remedy: "stop using the template, or choose it in the WeChat console"
        ),
        .giveUp(
            43116,
            cause: "the template is banned",
            remedy: "stop using the template"
        ),
    ]

    // MARK: The account

    private static let account: [WeChatErrorRule] = [
        .stop(
            45009,
            outcome: .quotaDay,
            cause: "the account's daily quota of this call is used up",
            remedy: "resume after midnight (China), or clear the quota (10 times a month)"
        ),
        .stop(
            43106,
            45094,
            cause: "WeChat has punished the account's sending",
            remedy: "read the notice in the WeChat console; resume when the punishment is over"
        ),
        .stop(
            45087,
            45093,
            cause: "the account's customer-service messages are blocked or have no quota",
            remedy: "read the notice in the WeChat console, then resume"
        ),
        .stop(
            48001,
            cause: "the account may not use this call: not verified, or without the permission",
            remedy: "verify the account, or grant the permission in the WeChat console"
        ),
        .stop(
            48004,
            cause: "WeChat has banned the account from this call for a violation",
            remedy: "read the notice in the WeChat console; resume when the ban is over"
        ),
        .stop(
            48006,
            cause: "the quota was cleared too often this month",
            remedy: "resume after midnight (China)"
        ),
        .stop(
            50002,
            cause: "the account is limited: frozen or cancelled",
            remedy: "restore the account in the WeChat console, then resume"
        ),
    ]

    // MARK: Third-party platforms

    private static let platform: [WeChatErrorRule] = [
        .stop(
            61003,
            61007,
            cause: "the account has not granted this permission to the platform",
            remedy: "let the account authorise the platform again"
        ),
        .stop(
            61004,
            cause: "the address of this machine is not registered with the platform",
            remedy: "add the address to the platform's whitelist, then resume"
        ),
        .giveUp(
            61009,
            61010,
            cause: "the authorisation code is invalid, used or expired",
            remedy: "authorise again"
        ),
        .stop(
            61011,
            cause: "the platform's appid is invalid",
            remedy: "check the platform's settings, then resume"
        ),
        .fix(
            61014,
            cause: "the call needs the platform's token",
            remedy: "report this as a defect of Belfry"
        ),
        .stop(
            61023,
            cause: "the account's refresh token is invalid",
            remedy: "let the account authorise the platform again"
        ),
    ]
}
