import BelfryCore

/// Which action opens which window, as data: the platform changed the table in 2021 and 2023, and will again.
package struct PermissionRules: Sendable, Hashable, Codable {
    /// The edition, kept with every grant: `wechat-2023`, or an account's own name.
    package var name: String
    /// Actions that are absent open nothing.
    package var table: [GrantingAction: GrantTerms]
    package var combination: Combination
    package var consumption: Consumption
    /// Always allowed: for channels without such a rule, like webhooks.
    package var isUnlimited: Bool

    /// How windows of one person combine. The platform has no official word on it, so it is a setting.
    package enum Combination: String, Sendable, Hashable, Codable, CaseIterable {
        /// One window per kind of action, replaced by each new action of that kind.
        case separate
        /// One window in all: a new action raises the remaining count to the larger and the end to the later.
        case refresh
        /// Every action adds a window of its own.
        case add
    }

    /// Which windows a message is counted against.
    package enum Consumption: String, Sendable, Hashable, Codable, CaseIterable {
        /// The open window that ends first.
        case shortestLived = "shortest-lived"
        /// Every open window: the cautious reading.
        case all
    }

    package init(
        name: String,
        table: [GrantingAction: GrantTerms],
        combination: Combination = .separate,
        consumption: Consumption = .shortestLived,
        isUnlimited: Bool = false
    ) {
        self.name = name
        self.table = table
        self.combination = combination
        self.consumption = consumption
        self.isUnlimited = isUnlimited
    }

    /// The actions that open a window, the longest first: what a person can do to be reachable again.
    package var openers: [GrantingAction] {
        GrantingAction.allCases
            .filter { table[$0].map { $0.duration > .zero && $0.quota != 0 } ?? false }
            .sorted { (table[$0]?.duration ?? .zero) > (table[$1]?.duration ?? .zero) }
    }
}

// MARK: - Presets

extension PermissionRules {
    /// In force since 2023-06-12 for new accounts, about August 2023 for all.
    package static let wechat2023 = PermissionRules(
        name: "wechat-2023",
        table: [
            .message: GrantTerms(duration: .hours(48), quota: 5),
            .menu: GrantTerms(duration: .minutes(1), quota: 3),
            .follow: GrantTerms(duration: .minutes(1), quota: 3),
            .scan: GrantTerms(duration: .minutes(1), quota: 3),
        ]
    )

    /// In force from 2021-06-01 until the rules of 2023.
    package static let wechat2021 = PermissionRules(
        name: "wechat-2021",
        table: [
            .message: GrantTerms(duration: .hours(48), quota: 20),
            .menu: GrantTerms(duration: .minutes(1), quota: 3),
            .follow: GrantTerms(duration: .minutes(1), quota: 3),
            .scan: GrantTerms(duration: .minutes(1), quota: 3),
            .payment: GrantTerms(duration: .hours(48), quota: 20),
        ]
    )

    /// Until 2021-05-31: 48 hours and 20 messages after any action. What most published material still describes.
    package static let legacy48h = PermissionRules(
        name: "legacy-48h",
        table: Dictionary(
            uniqueKeysWithValues: GrantingAction.allCases.map {
                ($0, GrantTerms(duration: .hours(48), quota: 20))
            }
        )
    )

    /// No rule at all: webhooks, logs.
    package static let unlimited = PermissionRules(
        name: "unlimited",
        table: [:],
        isUnlimited: true
    )

    package static let presets = [wechat2023, wechat2021, legacy48h, unlimited]

    /// The preset of that name, `nil` if there is none.
    package static func preset(_ name: String) -> PermissionRules? {
        presets.first { $0.name == name }
    }
}
