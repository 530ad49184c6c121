import Foundation

#if canImport(FoundationXML)
import FoundationXML
#endif

/// Reads an XML body with the system's parser, which never fetches anything, after ``XMLGuard`` has looked at it.
enum XMLBody {
    static func parse(_ bytes: [UInt8]) throws(CallbackError) -> BodyNode {
        try XMLGuard.check(bytes)
        let parser = XMLParser(data: Data(bytes))
        parser.shouldResolveExternalEntities = false
        parser.shouldProcessNamespaces = false
        let builder = TreeBuilder()
        parser.delegate = builder
        let complete = parser.parse()
        if let failure = builder.failure { throw failure }
        guard complete, let root = builder.root else {
            throw CallbackError(.malformed, "not well-formed XML, line \(parser.lineNumber)")
        }
        return root
    }
}

/// Collects what the parser reports, within bounds.
private final class TreeBuilder: NSObject, XMLParserDelegate {
    var root: BodyNode?
    var failure: CallbackError?
    private var open: [BodyNode] = []
    private var nodes = 0

    func parser(
        _ parser: XMLParser,
        didStartElement name: String,
        namespaceURI: String?,
        qualifiedName: String?,
        attributes: [String: String]
    ) {
        nodes += 1
        guard open.count < BodyTree.maxDepth, nodes <= BodyTree.maxNodes else {
            failure = CallbackError(.tooDeep, "too many or too deeply nested elements")
            return parser.abortParsing()
        }
        open.append(BodyNode(name: name))
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) { append(text) }

    func parser(_ parser: XMLParser, foundCDATA block: Data) {
        append(String(decoding: block, as: UTF8.self))
    }

    func parser(
        _ parser: XMLParser,
        didEndElement name: String,
        namespaceURI: String?,
        qualifiedName: String?
    ) {
        guard var node = open.popLast() else { return }
        if !node.children.isEmpty { node.text = "" }
        if open.isEmpty {
            root = node
        } else {
            open[open.count - 1].children.append(node)
        }
    }

    private func append(_ text: String) {
        guard !open.isEmpty else { return }
        open[open.count - 1].text += text
    }
}
