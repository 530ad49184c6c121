/// How long a window stays open, and for how many messages.
package struct WindowRule: Sendable, Hashable {
    /// Seconds from the CreateTime of the event.
    package var seconds: Int64
    /// How many messages fit; nil for any number.
    package var messages: Int?

    package init(seconds: Int64, messages: Int?) {
        self.seconds = seconds
        self.messages = messages
    }
}

/// Which action opens which window: WeChat's table, as data, by era.
///
/// Sources: the official customer-service message pages (current table), the platform notices of 2021 (in force
/// 2021-06-01) and 2023 (new accounts from 2023-06-12). An action that is missing opens nothing.
package struct WindowTable: Sendable, Hashable {
    package var name: String
    package var rules: [UserAction: WindowRule]

    package init(name: String, rules: [UserAction: WindowRule]) {
        self.name = name
        self.rules = rules
    }

    private static let day2: Int64 = 48 * 3600

    /// Until about 2017: 48 hours after any action, without a count.
    package static let uncounted = WindowTable(
        name: "uncounted",
        rules: Dictionary(
            uniqueKeysWithValues: UserAction.allCases.map {
                ($0, WindowRule(seconds: day2, messages: nil))
            }
        )
    )

    /// Until 2021-05-31: 48 hours and 20 messages.
    package static let until2021 = WindowTable(
        name: "until-2021",
        rules: [
            .message: WindowRule(seconds: day2, messages: 20),
            .menuTap: WindowRule(seconds: day2, messages: 20),
            .follow: WindowRule(seconds: day2, messages: 20),
            .scan: WindowRule(seconds: day2, messages: 20),
            .payment: WindowRule(seconds: day2, messages: 20),
        ]
    )

    /// From 2021-06-01: only messages and payments keep 48 hours.
    package static let from2021 = WindowTable(
        name: "from-2021",
        rules: [
            .message: WindowRule(seconds: day2, messages: 20),
            .menuTap: WindowRule(seconds: 60, messages: 3),
            .follow: WindowRule(seconds: 60, messages: 3),
            .scan: WindowRule(seconds: 60, messages: 3),
            .payment: WindowRule(seconds: day2, messages: 20),
        ]
    )

    /// From 2023-06-12, and today: a message 48 hours and 5; menu, follow and scan one minute and 3; a payment nothing.
    package static let current = WindowTable(
        name: "current",
        rules: [
            .message: WindowRule(seconds: day2, messages: 5),
            .menuTap: WindowRule(seconds: 60, messages: 3),
            .follow: WindowRule(seconds: 60, messages: 3),
            .scan: WindowRule(seconds: 60, messages: 3),
        ]
    )

    /// Every era, oldest first.
    package static let eras: [WindowTable] = [uncounted, until2021, from2021, current]

    /// The era of that name.
    package static func named(_ name: String) -> WindowTable? {
        eras.first { $0.name == name }
    }
}
