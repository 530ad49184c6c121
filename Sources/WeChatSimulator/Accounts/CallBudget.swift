/// How often each API was called today and this minute, against WeChat's limits.
struct CallBudget: Sendable {
    /// Calls a day: (an ordinary account, a test account). Official page "API Call Limits".
    static let daily: [String: (ordinary: Int, test: Int)] = [
        "/cgi-bin/token": (2_000, 200),
        "/cgi-bin/stable_token": (500_000, 500_000),
        "/cgi-bin/message/custom/send": (500_000, 50_000),
        "/cgi-bin/message/custom/typing": (500_000, 50_000),
        "/cgi-bin/message/template/send": (100_000, 100_000),
        "/cgi-bin/media/upload": (100_000, 500),
        "/cgi-bin/media/get": (200_000, 1_000),
        "/cgi-bin/material/add_material": (100_000, 500),
        "/cgi-bin/qrcode/create": (100_000, 10_000),
        "/cgi-bin/user/info": (5_000_000, 500_000),
        "/cgi-bin/user/info/batchget": (5_000_000, 500_000),
    ]

    /// `clear_quota` works so often in a month.
    static let clearsPerMonth = 10

    private var today = Int64.min
    private var used: [String: Int] = [:]
    private var minutes: [String: (minute: Int64, count: Int)] = [:]
    private var clears = (month: Int64.min, count: 0)

    /// The number of the day in China (UTC+8), where the counters start anew at midnight.
    static func day(of now: Int64) -> Int64 { (now + 8 * 3_600_000) / 86_400_000 }

    static func dailyLimit(_ path: String, _ settings: AccountSettings) -> Int? {
        if let own = settings.dailyLimits[path] { return own }
        return daily[path].map { settings.standing == .test ? $0.test : $0.ordinary }
    }

    /// Counts a call. - Throws: 45009 for the day, 45011 for the minute.
    mutating func count(
        _ path: String,
        at now: Int64,
        daily: Int?,
        perMinute: Int?
    ) throws(WeChatError) {
        turn(to: now)
        if let daily, used[path, default: 0] >= daily { throw .dailyQuota }
        if let perMinute {
            let minute = now / 60_000
            let before = minutes[path].map { $0.minute == minute ? $0.count : 0 } ?? 0
            if before >= perMinute { throw .minuteFrequency }
            minutes[path] = (minute, before + 1)
        }
        used[path, default: 0] += 1
    }

    mutating func used(_ path: String, at now: Int64) -> Int {
        turn(to: now)
        return used[path, default: 0]
    }

    /// - Throws: 48006 after ten times in a month (taken as 30 days).
    mutating func clear(at now: Int64) throws(WeChatError) {
        let month = Self.day(of: now) / 30
        if clears.month != month { clears = (month, 0) }
        if clears.count >= Self.clearsPerMonth { throw .clearQuotaLimit }
        clears.count += 1
        used = [:]
    }

    private mutating func turn(to now: Int64) {
        let day = Self.day(of: now)
        if day == today { return }
        today = day
        used = [:]
    }
}
