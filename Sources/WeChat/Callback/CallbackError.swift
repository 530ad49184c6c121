/// Why a callback was not believed or not understood. None of these may change anything.
package struct CallbackError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// A query parameter that this mode needs is missing or given twice.
        case missingParameter = "missing_parameter"
        /// Forged, or the token in Belfry is not the one in the WeChat console.
        case badSignature = "bad_signature"
        /// Correctly signed, but too long ago: a replay, or a clock that is far off.
        case stale
        /// The account demands encryption, and the body is not encrypted.
        case notEncrypted = "not_encrypted"
        /// Truncated, not base64, or encrypted with another key.
        case badCiphertext = "bad_ciphertext"
        /// Encrypted for another appid.
        case wrongTail = "wrong_tail"
        /// Addressed to another account.
        case wrongAccount = "wrong_account"
        case tooLarge = "too_large"
        case invalidUTF8 = "invalid_utf8"
        /// A document type, an entity, a comment or another encoding: never sent by WeChat, always an attack.
        case forbiddenMarkup = "forbidden_markup"
        case tooDeep = "too_deep"
        /// Neither XML nor JSON as WeChat sends it.
        case malformed
    }

    package var code: Code
    /// For the operator's log; holds nothing secret.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }

    /// The HTTP status to answer with: 401 for what is not believed, 413 and 400 for what is not understood.
    package var status: Int {
        switch code {
        case .badSignature, .stale, .notEncrypted, .badCiphertext, .wrongTail, .wrongAccount:
            401
        case .tooLarge: 413
        case .missingParameter, .invalidUTF8, .forbiddenMarkup, .tooDeep, .malformed: 400
        }
    }
}
