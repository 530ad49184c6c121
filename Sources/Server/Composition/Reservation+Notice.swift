import BelfryCore
import BelfryRecords
import BelfryWeChat

/// Reservations of template messages and subscribe notifications.
///
/// A template message uses nothing up, but leaves a reservation too: WeChat knows a repetition for some minutes after the first try, so it
/// must be known when that was. Its `granted` is the first try that may have been accepted, or ``GateDesk/notSent``.
extension Reservation {
    private static let template = "template"

    static func template(at now: Timestamp) -> Reservation {
        Reservation(source: template, granted: GateDesk.notSent, made: now)
    }

    var isOfTemplate: Bool { source == Self.template }

    /// The template whose consent it took; `nil` for others.
    var consent: String? {
        source.hasPrefix("consent:") ? String(source.dropFirst("consent:".count)) : nil
    }

    /// Whether the message goes the way that a step names for want of a window.
    var isOfNotice: Bool { isOfTemplate || consent != nil }

    /// The first try that may have been accepted and of which nobody knows; `nil`: none.
    ///
    /// - Parameter began: when this process did: a message that an earlier one handed over has no known end.
    func uncertain(since began: Timestamp) -> Timestamp? {
        if isOfTemplate, granted != GateDesk.notSent { return granted }
        return made != GateDesk.notSent && made < began ? made : nil
    }

    /// Whether the message may be tried though it may have been accepted.
    func isRepeatable(_ first: Timestamp, at now: Timestamp) -> Bool {
        isOfTemplate && now < first + TemplateMessage.repetition
    }
}
