/// A place in a file a person wrote: line and column from 1, columns counted in Unicode scalars.
package struct SourcePosition: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package var description: String { "\(line):\(column)" }

    package static func < (a: SourcePosition, b: SourcePosition) -> Bool {
        (a.line, a.column) < (b.line, b.column)
    }
}

/// One mistake in a file, where it is, and what was probably meant.
package struct SourceProblem: Sendable, Hashable, Codable, CustomStringConvertible {
    package var position: SourcePosition
    /// The way to the value: `steps[2].after`.
    package var path: String
    package var message: String
    /// What was probably meant; `nil` where nothing comes close.
    package var suggestion: String?

    package init(
        position: SourcePosition,
        path: String,
        message: String,
        suggestion: String? = nil
    ) {
        self.position = position
        self.path = path
        self.message = message
        self.suggestion = suggestion
    }

    package var description: String {
        let place = path.isEmpty ? "" : "\(path): "
        let hint = suggestion.map { "; did you mean '\($0)'?" } ?? ""
        return "\(position): \(place)\(message)\(hint)"
    }
}

/// A file that cannot be used: every mistake found in it, in order of position.
package struct InvalidSource: Error, Sendable, Hashable, CustomStringConvertible {
    package var problems: [SourceProblem]

    package init(problems: [SourceProblem]) {
        self.problems = problems.sorted { $0.position < $1.position }
    }

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
