import BelfryCore
import BelfryRecords

/// Deliveries as rows of a table.
struct DeliveryRows {
    let language: Language

    func row(_ delivery: DeliveryRecord) -> [String: Any] {
        let state = delivery.state.description
        let step = delivery.step.map { " · \($0)" } ?? ""
        return [
            "at": TimeText.render(delivery.at),
            "state": Words.states(language)[state] ?? state,
            "tone": Self.tone(state),
            "to": delivery.recipient.person,
            "account": delivery.recipient.account,
            "personURL": Self.personURL(delivery.recipient),
            "source": delivery.flow.map { $0 + step } ?? delivery.push.text,
            "message": delivery.cause.message,
            "remedy": delivery.cause.remedy,
            "lateness": delivery.latenessMilliseconds.map { SpanText.render(Int64($0)) } ?? "",
            "planned": false,
            "key": "\(delivery.push.text) \(delivery.sequence) \(delivery.attempt) \(state)",
        ]
    }

    /// A push that has not ended, as the row above those that have.
    func row(_ pending: Pending) -> [String: Any] {
        let state = pending.state == .scheduled ? "scheduled" : "in_flight"
        return [
            "at": TimeText.render(pending.push.due),
            "state": Words.states(language)[state] ?? state,
            "tone": "soft",
            "to": pending.push.recipient.person,
            "account": pending.push.recipient.account,
            "personURL": Self.personURL(pending.push.recipient),
            "source": pending.push.id.text,
            "message": "", "remedy": "", "lateness": "",
            "planned": true,
        ]
    }

    static func personURL(_ recipient: Recipient) -> String {
        "/console/people/" + HTMLText.percentEncode(recipient.account) + "/"
            + HTMLText.percentEncode(recipient.person)
    }

    /// The same as in `console.js`.
    static func tone(_ state: String) -> String {
        switch state {
        case "sent": "good"
        case "dead", "unknown", "window_45015", "count_45047", "refused_43101", "quota_day": "bad"
        case "retrying", "no_grant", "expired", "held_quiet", "held_rate", "held_window",
            "held_paused":
            "warn"
        default: "soft"
        }
    }
}

/// A span of time for people to read, as `console.js` writes it.
enum SpanText {
    static func render(_ milliseconds: Int64?) -> String {
        guard let milliseconds else { return "–" }
        func tenths(_ unit: Int64) -> String {
            let value = (milliseconds * 10 + unit / 2) / unit
            return "\(value / 10).\(value % 10)"
        }
        switch milliseconds {
        case ..<1000: return "\(milliseconds) ms"
        case ..<60_000: return tenths(1000) + " s"
        case ..<3_600_000: return tenths(60_000) + " min"
        default: return tenths(3_600_000) + " h"
        }
    }
}
