/// Everything that is wrong with the configuration, all at once; each line says where, what, and what to write instead.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package let problems: [String]

    package init(_ problems: [String]) { self.problems = problems }

    package var description: String { problems.joined(separator: "\n") }
}
