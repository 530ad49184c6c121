import BelfryActivation

/// A flow's YAML file.
struct FlowFile {
    var path: String
    var parsed: ParsedFlow

    /// - Throws: ``Failure`` with `file:line:column` of every mistake.
    static func read(_ path: String) throws -> FlowFile {
        let bytes = try Input.bytes(of: path)
        do { return FlowFile(path: path, parsed: try FlowYAML.parse(bytes)) } catch {
            throw Failure(.badInput, places(error, in: path))
        }
    }

    /// Every mistake on a line of its own, as compilers tell them: `welcome.yaml:3:5: …`.
    static func places(_ error: InvalidSource, in path: String) -> String {
        "\(path) is wrong:\n"
            + error.problems.map { "\(path):\($0.description)" }.joined(separator: "\n")
    }
}
