/// What the judge makes of the answer to a callback.
enum ReplyVerdict: Sendable, Hashable {
    /// Empty, or `success`.
    case acknowledged
    case reply(PassiveReply)
    /// Malformed: the person sees "the service is temporarily unavailable".
    case malformed(String)

    /// - Parameter mediaExists: whether a media id belongs to this account and is still valid.
    static func judge(
        _ body: [UInt8],
        of callback: Callback,
        mediaExists: (String) -> Bool
    ) -> ReplyVerdict {
        if body.isEmpty || body.elementsEqual("success".utf8) { return .acknowledged }
        do throws(CallbackProblem) {
            let tree =
                switch callback.account.bodyFormat {
                case .xml: try ReplyTree(xml: body)
                case .json: try ReplyTree(json: body)
                }
            let opened = try open(tree, callback)
            return .reply(try PassiveReply.read(opened, of: callback, mediaExists: mediaExists))
        } catch {
            return .malformed(error.reason)
        }
    }

    /// The plain reply: an encrypted one is checked and decrypted.
    private static func open(
        _ tree: ReplyTree,
        _ callback: Callback
    ) throws(CallbackProblem) -> ReplyTree {
        let account = callback.account
        guard let encrypted = tree.value("Encrypt") else {
            if account.mode == .safe { throw CallbackProblem("a plain reply in safe mode") }
            return tree
        }
        if account.mode == .plain { throw CallbackProblem("an encrypted reply in plain mode") }
        guard let signature = tree.value("MsgSignature"), let nonce = tree.value("Nonce"),
            let timestamp = tree.value("TimeStamp"), Int64(timestamp) != nil
        else { throw CallbackProblem("MsgSignature, TimeStamp or Nonce is missing") }
        guard signature == Signature.of(account.token, timestamp, nonce, encrypted) else {
            throw CallbackProblem("the MsgSignature of the reply is wrong")
        }
        guard let key = EncodingKey(account.encodingAESKey) else {
            throw CallbackProblem("the EncodingAESKey is not usable")
        }
        let plain: [UInt8]
        do {
            plain = try Envelope(key: key, tail: account.appID).decrypt(encrypted)
        } catch {
            throw CallbackProblem("the reply cannot be decrypted: \(error.rawValue)")
        }
        switch account.bodyFormat {
        case .xml: return try ReplyTree(xml: plain)
        case .json: return try ReplyTree(json: plain)
        }
    }
}

/// A reply as XML or as JSON, seen alike.
struct ReplyTree: Sendable {
    private enum Node: Sendable {
        case xml(XMLElement)
        case json(JSONValue)
    }

    private let node: Node

    init(xml bytes: [UInt8]) throws(CallbackProblem) {
        let root: XMLElement
        do {
            root = try XMLElement.parse(bytes)
        } catch {
            throw CallbackProblem("the reply is not XML: \(error.reason)")
        }
        if root.name != "xml" { throw CallbackProblem("the root of the reply is not <xml>") }
        node = .xml(root)
    }

    init(json bytes: [UInt8]) throws(CallbackProblem) {
        guard let value = try? JSONValue.parse(bytes), case .object = value else {
            // What exactly is wrong with it is of no use to the judgement.
            throw CallbackProblem("the reply is not a JSON object")
        }
        node = .json(value)
    }

    private init(_ node: Node) { self.node = node }

    /// A text or number directly inside.
    func value(_ name: String) -> String? {
        switch node {
        case .xml(let element): element.value(name)
        case .json(let json):
            json[name].flatMap { value in value.string ?? value.integer.map { String($0) } }
        }
    }

    func child(_ name: String) -> ReplyTree? {
        switch node {
        case .xml(let element): element.child(name).map { ReplyTree(.xml($0)) }
        case .json(let json): json[name].map { ReplyTree(.json($0)) }
        }
    }

    /// The articles: `item` elements, or the array itself.
    var items: [ReplyTree] {
        switch node {
        case .xml(let element):
            element.children.filter { $0.name == "item" }.map { ReplyTree(.xml($0)) }
        case .json(let json):
            (json.array ?? json["item"]?.array ?? []).map { ReplyTree(.json($0)) }
        }
    }
}
