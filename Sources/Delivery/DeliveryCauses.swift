package import BelfryCore

/// The causes that delivery itself gives: everything else comes from gatekeepers and channels.
package enum DeliveryCauses {
    package static let expired = SendCause(
        code: "expired",
        message: "It was no longer worth sending when its turn came."
    )
    package static let quiet = SendCause(
        code: "quiet_hours",
        message: "The account's quiet hours are on."
    )
    package static let quota = SendCause(
        code: "quota_day",
        message: "The account's daily quota is used up."
    )
    package static let rate = SendCause(
        code: "rate",
        message: "More is due than the account may send at once; it waits for its turn."
    )
    package static let undecided = SendCause(
        code: "gate_silent",
        message: "The gate gave no decision for this push; it is asked again."
    )
    package static let silent = SendCause(
        code: "channel_silent",
        message: "The channel gave no outcome for this message."
    )

    package static let overloadCode = "overload"

    /// - Parameter span: how long it has been due.
    package static func overload(_ span: Duration) -> SendCause {
        let seconds = Duration.seconds(max(1, span.milliseconds / 1000))
        return SendCause(
            code: overloadCode,
            message:
                "Capacity is short, and its priority is deferred: due for \(DurationText.inOneUnit(seconds))."
        )
    }

    /// - Parameter open: what the last message there met.
    package static func circuitOpen(_ endpoint: Endpoint, _ open: CircuitState.Open) -> SendCause {
        SendCause(
            code: "circuit_open",
            message:
                "Nothing goes to \(endpoint) until somebody answers there: \(open.cause.message)",
            remedy: open.cause.remedy
        )
    }

    package static func noChannel(_ name: String) -> SendCause {
        SendCause(
            code: "unknown_channel",
            message: "No channel is called '\(name)'.",
            remedy: "Configure the channel, or correct the name, and retry the push."
        )
    }
}
