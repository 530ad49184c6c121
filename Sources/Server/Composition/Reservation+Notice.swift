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
    /// A template message that may have been accepted.
    var isUncertainTemplate: Bool { isOfTemplate && granted != GateDesk.notSent }

    /// The template whose consent it took; `nil` for others.
    var consent: String? {
        source.hasPrefix("consent:") ? String(source.dropFirst("consent:".count)) : nil
    }

    /// Whether the message goes the way that a step names for want of a window.
    var isOfNotice: Bool { isOfTemplate || consent != nil }

    /// The first try that may have been accepted and of which nobody knows; `nil`: none.
    ///
    /// - Parameters:
    ///   - attempt: ``BelfryCore/Claim/attempt``. Where that has grown since, the push was given back as not sent, by one who had no time yet to
    ///     write that down here.
    ///   - process: this one: what another handed over has no known end.
    func uncertain(at attempt: Int, for process: ReservationMaker) -> Timestamp? {
        if isUncertainTemplate { return granted }
        guard made != GateDesk.notSent else { return nil }
        // Made before makers were named: who was here before this process is gone.
        guard let maker else { return made < process.began ? made : nil }
        return maker != process && attempt <= send?.attempt ?? attempt ? made : nil
    }

    /// Whether the message may be tried though it may have been accepted.
    func isRepeatable(_ first: Timestamp, at now: Timestamp) -> Bool {
        isOfTemplate && now < first + TemplateMessage.repetition
    }
}
