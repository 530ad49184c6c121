/// A version of a flow as it was published.
package struct PublishedFlow: Sendable, Hashable {
    package var flow: Flow
    /// 1, 2, 3 …
    package var version: Int
    /// What its publishing did to people who were inside an earlier version.
    package var insiders: InsiderPolicy

    package init(flow: Flow, version: Int, insiders: InsiderPolicy = .pinned) {
        self.flow = flow
        self.version = version
        self.insiders = insiders
    }
}

/// What publishing a version does to people inside an earlier one.
package enum InsiderPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    /// New texts, old structure: steps, order and times stay as they were when the person entered.
    case pinned
    /// New texts, new structure from where the person is.
    case followLive = "follow-live"
    /// Old texts, old structure.
    case finishOnOld = "finish-on-old"
    /// People inside leave; nothing more is sent to them.
    case exit
}

/// The versions of one flow that people may still be in.
package struct FlowVersions: Sendable, Hashable {
    /// By version, oldest first. Never empty.
    private let versions: [PublishedFlow]

    package init(_ current: PublishedFlow) { versions = [current] }

    /// - Parameter versions: of the same flow, in any order.
    /// - Returns: `nil` for none.
    package init?(_ versions: [PublishedFlow]) {
        guard !versions.isEmpty else { return nil }
        self.versions = versions.sorted { $0.version < $1.version }
    }

    /// Oldest first.
    package var all: [PublishedFlow] { versions }

    package var current: PublishedFlow { versions[versions.count - 1] }

    package func version(_ number: Int) -> PublishedFlow? {
        versions.first { $0.version == number }
    }

    /// What holds for somebody who entered (or was moved to) that version.
    ///
    /// Each later version's policy is applied in turn. A version that is no longer kept is taken for the oldest that is.
    package func standing(of entered: Int) -> Standing {
        let first = versions.firstIndex { $0.version >= entered } ?? versions.count - 1
        var standing = Standing(structure: versions[first], content: versions[first])
        for later in versions[(first + 1)...] {
            switch later.insiders {
            case .pinned: standing.content = later
            case .followLive: standing = Standing(structure: later, content: later)
            case .finishOnOld: break
            case .exit: return Standing(structure: later, content: later, hasLeft: true)
            }
        }
        return standing
    }

    /// The step that is meant, with the texts that hold for the person; `nil` where it is gone or nobody is left inside.
    package func step(at position: FlowPosition) -> FlowStep? {
        let standing = standing(of: position.version)
        guard !standing.hasLeft, let placed = standing.structure.flow.step(position.step) else {
            return nil
        }
        return standing.content.flow.step(position.step) ?? placed
    }

    /// The version whose steps and times count for a person, and the one whose texts do.
    package struct Standing: Sendable, Hashable {
        package var structure: PublishedFlow
        package var content: PublishedFlow
        package var hasLeft = false
    }
}
