/// The console's languages.
enum Language: String, CaseIterable, Sendable {
    case english = "en"
    case chinese = "zh-CN"

    var other: Language { self == .english ? .chinese : .english }
    var name: String { self == .english ? "English" : "中文" }

    /// The first of an `Accept-Language` header that we speak; English where none is.
    init(accepting header: String?) {
        for part in (header ?? "").split(separator: ",").prefix(16) {
            let tag = part.split(separator: ";")[0].lowercased().filter { $0 != " " }
            if tag.hasPrefix("zh") {
                self = .chinese
                return
            }
            if tag.hasPrefix("en") {
                self = .english
                return
            }
        }
        self = .english
    }
}

/// Every text of the console in both languages.
enum Words {
    static func all(_ language: Language) -> [String: String] {
        table.mapValues { language == .english ? $0.0 : $0.1 }
    }

    /// The states a push can be in.
    static func states(_ language: Language) -> [String: String] {
        stateTable.mapValues { language == .english ? $0.0 : $0.1 }
    }

    private static let table: [String: (String, String)] = [
        "overview": ("Overview", "总览"),
        "searchHint": ("Find a person by id  ( / )", "按 ID 查找粉丝  ( / )"),
        "theme": ("Light / dark", "明 / 暗"),
        "logout": ("Sign out", "退出"),
        "login": ("Sign in", "登录"),
        "loginHint": (
            "With an API key. The first start wrote one to admin.key in the data folder.",
            "使用 API 密钥登录。首次启动时已写入数据目录下的 admin.key。"
        ),
        "apiKey": ("API key", "API 密钥"),
        "simulateFollow": ("Simulate a follow", "模拟一次关注"),
        "replayDay": ("Replay a day at 60×", "60 倍速重放一天"),
        "replaying": (
            "A day goes by in 24 minutes: this demonstration's clock runs ahead.",
            "24 分钟内重放一天，演示时钟将随之快进。"
        ),
        "simulateRush": ("200,000 due in one second", "一秒内 20 万条到期"),
        "rushing": (
            "200,000 messages are due in a moment: watch the numbers.",
            "20 万条消息即将同时到期，请看各项数字。"
        ),
        "simulated": ("Somebody follows: watch the list.", "已模拟一位新粉丝，请看下方列表。"),
        "now": ("At this moment", "此刻"),
        "dueNow": ("Due now", "当前到期"),
        "scheduled": ("waiting", "待发"),
        "inFlight": ("in flight", "发送中"),
        "overloaded": (
            "Capacity is short: pushes of this priority and lower ones wait",
            "容量不足：该优先级及更低的推送已推迟"
        ),
        "outOfOrder": ("Out of order, pushes wait", "对端故障，推送等待中"),
        "lateness": ("Lateness", "延迟"),
        "oldestOverdue": ("oldest overdue", "最久逾期"),
        "sentPerMinute": ("Sent in the last minute", "最近一分钟已发"),
        "limit": ("limit", "上限"),
        "failedHour": ("Failed in the last hour", "最近一小时失败"),
        "deadLetters": ("dead letters", "死信"),
        "next48": ("Next 48 hours", "未来 48 小时"),
        "perHalfHour": ("pushes per half hour", "每半小时推送数"),
        "capacityLine": ("dashed: what can be sent", "虚线：可发送上限"),
        "newest": ("Newest deliveries", "最新投递"),
        "clearFilters": ("Clear filters", "清除筛选"),
        "storeDown": ("The records cannot be read", "无法读取记录"),
        "since": ("since", "自"),
        "retrying": ("trying again every 3 seconds", "每 3 秒重试"),
        "nothingYet": ("Nothing has been sent yet", "还没有任何投递"),
        "nothingYetHint": (
            "Publish a flow with `belfry flow apply`, or schedule a push: POST /v1/pushes.",
            "用 `belfry flow apply` 发布流程，或调用 POST /v1/pushes 安排推送。"
        ),
        "nothingMatches": ("Nothing matches", "没有匹配的结果"),
        "when": ("When", "时间"),
        "what": ("What became of it", "结果"),
        "who": ("To", "对象"),
        "flowOrPush": ("Flow · step", "流程 · 步骤"),
        "why": ("Why", "原因"),
        "late": ("Late", "延迟"),
        "permission": ("Permission to send", "发送权限"),
        "mayNot": (
            "Nothing may be sent now: the person has to write first.",
            "当前不能发送：需等待对方先发消息。"
        ),
        "may": ("Messages may be sent.", "当前可以发送消息。"),
        "until": ("until", "至"),
        "unlimited": ("any number", "不限条数"),
        "left": ("left", "剩余"),
        "of": ("of", "/"),
        "timeline": ("Timeline", "时间线"),
        "older": ("Older", "更早"),
        "people": ("People", "粉丝"),
        "noPeopleYet": ("Nobody has followed yet", "还没有粉丝"),
        "noPeopleYetHint": (
            "Point the account's callback at this server; followers appear here.",
            "将公众号回调地址指向本服务器，粉丝会出现在这里。"
        ),
        "account": ("Account", "账号"),
        "nickname": ("Name", "昵称"),
        "state": ("State", "状态"),
        "lastSeen": ("Last seen", "最近互动"),
        "follows": ("follows", "已关注"),
        "left_account": ("unsubscribed", "已取关"),
        "followed": ("Followed", "关注时间"),
        "unfollowed": ("Unsubscribed", "取关时间"),
        "lastWrote": ("Last wrote", "最近发言"),
        "scene": ("Scene", "场景"),
        "pausedAccount": ("Paused:", "已暂停："),
        "keyboard": ("Keyboard", "快捷键"),
        "keySearch": ("search", "搜索"),
        "keyOverview": ("overview", "总览"),
        "keyTheme": ("light or dark", "明暗切换"),
        "keyHelp": ("this help", "帮助"),
        "close": ("Close", "关闭"),
        "live_on": ("live", "实时"),
        "live_off": ("connection lost, retrying", "连接中断，正在重试"),
        "live_paused": ("paused", "已暂停"),
    ]

    private static let stateTable: [String: (String, String)] = [
        "sent": ("sent", "已发送"),
        "merged": ("merged", "已合并"),
        "replaced": ("replaced", "已替换"),
        "cancelled": ("cancelled", "已取消"),
        "unsubscribed": ("unsubscribed", "已取关"),
        "skipped_condition": ("condition not met", "条件不符"),
        "skipped_cap": ("cap reached", "达到频次上限"),
        "no_grant": ("no permission", "无发送权限"),
        "window_45015": ("window closed (45015)", "会话窗口已关闭 (45015)"),
        "count_45047": ("count used up (45047)", "下发条数已用完 (45047)"),
        "refused_43101": ("refused (43101)", "用户拒收 (43101)"),
        "quota_day": ("day's quota used up", "当日额度已用完"),
        "expired": ("expired", "已过期"),
        "dead": ("given up", "死信"),
        "unknown": ("outcome unknown", "结果未知"),
        "scheduled": ("scheduled", "已排期"),
        "damaged": ("damaged on disk and set aside", "磁盘损坏，已搁置"),
        "held_quiet": ("held: quiet hours", "免打扰顺延"),
        "held_rate": ("held: rate", "限速等待"),
        "held_window": ("held: no permission yet", "等待权限"),
        "held_paused": ("held: paused", "暂停等待"),
        "retrying": ("retrying", "重试中"),
        "in_flight": ("in flight", "发送中"),
    ]
}
