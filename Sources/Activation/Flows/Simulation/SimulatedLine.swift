package import BelfryCore

/// One thing that happened in a simulation.
package struct SimulatedLine: Sendable, Hashable, Codable, CustomStringConvertible {
    package var time: Timestamp
    /// The same on the wall: `2026-11-20 07:01:00`.
    package var local: String
    package var kind: Kind
    package var flow: String?
    package var step: String?
    /// What was said, or done.
    package var text: String
    /// Why.
    package var reason: String

    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// The person did something.
        case act
        /// The passive reply to it.
        case reply
        case entered
        case notEntered = "not_entered"
        /// The next step got its moment.
        case planned
        /// The next step got its moment, moved by quiet hours.
        case shifted
        case sent
        /// Sent by another channel.
        case fellBack = "fell_back"
        case held
        case skipped
        case merged
        case cancelled
        case ended
        /// The simulation was cut off.
        case cutOff = "cut_off"
    }

    package init(
        time: Timestamp,
        local: String,
        kind: Kind,
        flow: String? = nil,
        step: String? = nil,
        text: String = "",
        reason: String = ""
    ) {
        self.time = time
        self.local = local
        self.kind = kind
        self.flow = flow
        self.step = step
        self.text = text
        self.reason = reason
    }

    package var description: String {
        let name = [flow, step].compactMap(\.self).joined(separator: "/")
        let why = reason.isEmpty ? "" : " (\(reason))"
        let parts = [local, kind.rawValue, name, text].filter { !$0.isEmpty }
        return parts.joined(separator: "  ") + why
    }
}
