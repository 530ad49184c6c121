package import BelfryCore

/// What a person does in a simulation, and when.
package struct Scenario: Sendable, Hashable {
    /// In order of time.
    package private(set) var acts: [Act]

    package struct Act: Sendable, Hashable {
        package var time: Timestamp
        package var what: What

        package init(time: Timestamp, what: What) {
            self.time = time
            self.what = what
        }
    }

    package enum What: Sendable, Hashable {
        case event(FlowEvent.Kind)
        case tag(String)
        case untag(String)
        /// Follows a tracked link.
        case click
        /// The business server reports something.
        case report(String)
    }

    package init(_ acts: [Act]) {
        self.acts = acts.enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }.map(\.element)
    }

    /// Reads lines like `follow 2026-11-20T02:30` and `message 2026-11-20T09:10 你好`, with local times in `zone`.
    ///
    /// - Throws: ``InvalidScenario`` naming the first line that cannot be read.
    package static func parse(_ lines: [String], zone: LocalZone) throws(InvalidScenario)
        -> Scenario
    {
        var acts: [Act] = []
        guard lines.count <= 1000 else {
            throw InvalidScenario(line: 1000, problem: "at most 1000 acts can be simulated")
        }
        for (index, line) in lines.enumerated() {
            do throws(InvalidScenario) {
                acts.append(try act(line, zone))
            } catch {
                throw InvalidScenario(line: index + 1, problem: error.problem)
            }
        }
        return Scenario(acts)
    }

    private static let verbs = [
        "follow", "unfollow", "message", "tap", "menu", "scan", "api", "tag", "untag", "click",
        "event", "accept", "withdraw",
    ]

    private static func act(_ line: String, _ zone: LocalZone) throws(InvalidScenario) -> Act {
        let parts = line.trimmed.split(separator: " ", maxSplits: 2).map(String.init)
        guard let verb = parts.first, verbs.contains(verb) else {
            let nearest = Suggestion.nearest(to: parts.first ?? "", among: verbs)
            let hint = nearest.map { "; did you mean '\($0)'?" } ?? "; known are \(verbs.quoted)"
            throw InvalidScenario(problem: "'\((parts.first ?? "").shortened)' is no act\(hint)")
        }
        guard parts.count > 1, let time = zone.parse(parts[1]) else {
            let given = parts.count > 1 ? parts[1].shortened : ""
            throw InvalidScenario(
                problem: "'\(given)' is no time; write \(verb) 2026-11-20T09:10"
            )
        }
        return Act(time: time, what: try what(verb, parts.count > 2 ? parts[2].trimmed : ""))
    }

    private static func what(_ verb: String, _ rest: String) throws(InvalidScenario) -> What {
        let scene = rest.isEmpty ? nil : rest
        let named = ["menu", "tag", "untag", "event", "accept", "withdraw"]
        if named.contains(verb), rest.isEmpty {
            throw InvalidScenario(problem: "'\(verb)' needs a name after the time")
        }
        return switch verb {
        case "follow": .event(.follow(scene: scene))
        case "unfollow": .event(.unfollow)
        case "message": .event(.message(text: scene, isMenuTap: false))
        case "tap": .event(.message(text: scene, isMenuTap: true))
        case "menu": .event(.menu(key: rest))
        case "scan": .event(.scan(scene: scene))
        case "api": .event(.api(variables: try pairs(rest)))
        case "tag": .tag(rest)
        case "untag": .untag(rest)
        case "click": .click
        case "accept", "withdraw":
            .event(.consent([ConsentChange(template: rest, isGranted: verb == "accept")]))
        default: .report(rest)
        }
    }

    /// `name=value name=value`.
    private static func pairs(_ text: String) throws(InvalidScenario) -> [String: String] {
        var pairs: [String: String] = [:]
        for word in text.split(separator: " ") {
            let halves = word.split(separator: "=", maxSplits: 1)
            guard halves.count == 2 else {
                throw InvalidScenario(problem: "'\(String(word).shortened)' is no name=value")
            }
            pairs[String(halves[0])] = String(halves[1])
        }
        return pairs
    }
}

/// A line of a scenario that cannot be read.
package struct InvalidScenario: Error, Sendable, Hashable, CustomStringConvertible {
    /// From 1.
    package var line: Int
    package var problem: String

    package init(line: Int = 1, problem: String) {
        self.line = line
        self.problem = problem
    }

    package var description: String { "act \(line): \(problem)" }
}
