import BelfryCore
import BelfryRecords

/// Which timelines are in use, as all servers over the same records have agreed: a setting with a version, which is the epoch.
package struct Arrangement: Sendable, Hashable {
    /// A step towards another place. None begins before every server that lives works by the one before.
    package enum Phase: String, Sendable, Hashable, CaseIterable {
        /// One place, no move.
        case single
        /// Both are open; new pushes still go to `from`.
        case joining
        /// New pushes go to `to`, and one server moves what is in `from`.
        case moving
        /// `from` was empty; nobody puts anything there any more.
        case leaving
        /// Everybody uses `to` alone; `from` is being closed for good.
        case closing
    }

    package var epoch = 0
    package var phase = Phase.single
    /// Where pushes are, or come from.
    package var from: TimelinePlace
    package var to: TimelinePlace?
    /// The move was cancelled: `to` is where it began.
    package var goesBack = false

    /// Where everything is, or will be.
    package var end: TimelinePlace { to ?? from }

    /// As people are told.
    var words: String {
        to.map { "\(from.words), moving to \($0.words)" } ?? from.words
    }

    /// What a cancel leads to; `nil` where there is nothing that could go back.
    ///
    /// Where nobody can have put anything into the new place, that is left at once. Otherwise both sides change, and again all servers come to know it before the first push is moved
    /// back.
    func turned() -> Arrangement? {
        guard let to else { return nil }
        var next = self
        (next.from, next.to, next.goesBack) = (to, from, !goesBack)
        switch phase {
        case .joining: next.phase = .leaving
        case .moving, .leaving: next.phase = .joining
        case .single, .closing: return nil
        }
        return next
    }

    // MARK: As the records keep it

    static let setting = "timeline"

    var text: String {
        let document: JSONValue = [
            "phase": .string(phase.rawValue), "from": from.json, "to": to?.json ?? .null,
            "back": .bool(goesBack),
        ]
        return document.text
    }

    init(from: TimelinePlace) { self.from = from }

    /// - Throws: ``StartFailure`` where it cannot be understood: pushes must not be looked for in the wrong place.
    init(_ record: SettingRecord) throws(StartFailure) {
        let json = try? JSONValue(parsing: Array(record.value.utf8))
        guard let phase = json?["phase"]?.string.flatMap({ Phase(rawValue: $0) }),
            let from = TimelinePlace(json?["from"])
        else {
            throw StartFailure(
                .misconfigured,
                "Where the pushes are cannot be read from the records. Use the version of Belfry that has written it, or a newer one."
            )
        }
        epoch = record.version
        self.phase = phase
        self.from = from
        to = TimelinePlace(json?["to"])
        goesBack = json?["back"]?.bool ?? false
        if phase != .single, to == nil { self.phase = .single }
    }
}
