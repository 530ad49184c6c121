import Yams

/// Turns the bytes of a YAML (or JSON) file into a tree, with clear errors for what no parser should see.
enum SourceText {
    /// - Throws: ``InvalidSource`` with the place of the first mistake in the text itself.
    static func tree(_ bytes: [UInt8], what: String) throws(InvalidSource) -> Node {
        guard bytes.count <= FlowLimits.sourceBytes else {
            throw problem(
                SourcePosition(line: 1, column: 1),
                "the file is \(bytes.count) bytes; at most \(FlowLimits.sourceBytes) are allowed"
            )
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw problem(invalidUTF8(in: bytes), "the file is not valid UTF-8 here")
        }
        if let place = aliasUse(in: text) {
            throw problem(place, "aliases (*) are not supported; write it out")
        }
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch { throw readable(error) }
        guard let root else {
            throw problem(SourcePosition(line: 1, column: 1), "the file is empty; \(what) expected")
        }
        return root
    }

    /// Where the text first uses an anchor that it defines. A few lines of aliases unfold into gigabytes before anything of the tree
    /// could be refused, so they are looked for in the text.
    private static func aliasUse(in text: String) -> SourcePosition? {
        guard text.utf8.contains(UInt8(ascii: "&")), text.utf8.contains(UInt8(ascii: "*")) else {
            return nil
        }
        var anchors: Set<Substring> = []
        for word in text.split(whereSeparator: { $0.isWhitespace || "[]{},:-?".contains($0) }) {
            let name = word.dropFirst()
            if word.hasPrefix("&") { anchors.insert(name) }
            if word.hasPrefix("*"), !name.isEmpty, anchors.contains(name) {
                return position(of: word.startIndex, in: text)
            }
        }
        return nil
    }

    private static func invalidUTF8(in bytes: [UInt8]) -> SourcePosition {
        var line = 1
        var column = 1
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue("\n"):
                line += 1
                column = 1
            case .scalarValue: column += 1
            case .emptyInput, .error: return SourcePosition(line: line, column: column)
            }
        }
    }

    private static func problem(_ position: SourcePosition, _ message: String) -> InvalidSource {
        InvalidSource(problems: [SourceProblem(position: position, path: "", message: message)])
    }

    private static func readable(_ error: any Error) -> InvalidSource {
        let start = SourcePosition(line: 1, column: 1)
        guard let error = error as? YamlError else { return problem(start, "\(error)") }
        switch error {
        case .scanner(let context, let text, let mark, _),
            .parser(let context, let text, let mark, _),
            .composer(let context, let text, let mark, _):
            let place = SourcePosition(line: mark.line, column: mark.column)
            let prefix = context.map { "\($0.text) at \($0.mark): " } ?? ""
            return problem(place, "not valid YAML: \(prefix)\(text)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let place = SourcePosition(line: context.mark.line, column: context.mark.column)
            return problem(place, "\(duplicates.quoted) stands here more than once")
        case .reader(let text, let offset, _, let yaml):
            let index = yaml.index(yaml.startIndex, offsetBy: offset ?? 0, limitedBy: yaml.endIndex)
            return problem(
                position(of: index ?? yaml.endIndex, in: yaml),
                "not valid YAML: \(text)"
            )
        default: return problem(start, "not valid YAML: \(error)")
        }
    }

    private static func position(of index: String.Index, in text: String) -> SourcePosition {
        let before = text[..<index]
        let line = before.count { $0.isNewline } + 1
        let lastLine = before.lastIndex { $0.isNewline }.map { before[before.index(after: $0)...] }
        return SourcePosition(line: line, column: (lastLine ?? before).unicodeScalars.count + 1)
    }
}
