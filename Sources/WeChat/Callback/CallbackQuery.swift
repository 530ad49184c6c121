/// The query parameters of a callback, percent-decoded.
package struct CallbackQuery: Sendable, Hashable {
    package var signature: String?
    package var timestamp: String?
    package var nonce: String?
    package var echo: String?
    package var openID: String?
    package var encryptType: String?
    package var messageSignature: String?

    package init(
        signature: String? = nil,
        timestamp: String? = nil,
        nonce: String? = nil,
        echo: String? = nil,
        openID: String? = nil,
        encryptType: String? = nil,
        messageSignature: String? = nil
    ) {
        self.signature = signature
        self.timestamp = timestamp
        self.nonce = nonce
        self.echo = echo
        self.openID = openID
        self.encryptType = encryptType
        self.messageSignature = messageSignature
    }

    /// Takes the parameters it knows and ignores the others.
    ///
    /// - Parameter pairs: names and values, percent-decoded.
    /// - Throws: ``CallbackError`` with `missingParameter` where a known name comes twice: two readers could disagree on it.
    package init(pairs: some Sequence<(String, String)>) throws(CallbackError) {
        self.init()
        for (name, value) in pairs {
            guard let path = Self.path(of: name) else { continue }
            guard self[keyPath: path] == nil else {
                throw CallbackError(.missingParameter, "\(name) is given twice")
            }
            self[keyPath: path] = value
        }
    }

    private static func path(of name: String) -> WritableKeyPath<CallbackQuery, String?>? {
        switch name {
        case "signature": \.signature
        case "timestamp": \.timestamp
        case "nonce": \.nonce
        case "echostr": \.echo
        case "openid": \.openID
        case "encrypt_type": \.encryptType
        case "msg_signature": \.messageSignature
        default: nil
        }
    }

    func need(_ path: KeyPath<CallbackQuery, String?>, _ name: String) throws(CallbackError)
        -> String
    {
        guard let value = self[keyPath: path], !value.isEmpty else {
            throw CallbackError(.missingParameter, "the query has no \(name)")
        }
        return value
    }
}
