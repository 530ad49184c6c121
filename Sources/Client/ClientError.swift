/// Why a call of the API brought no answer that can be used.
package enum ClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The address is no `http://` or `https://` one.
    case badAddress(String)
    /// No connection, or it broke.
    case unreachable(address: String, cause: String)
    /// The server refused, and says why (RFC 9457).
    case refused(Refusal)
    /// Something answered that is no Belfry: the first bytes of what it said.
    case notJSON(start: String)
    /// The input of a bulk request cannot be read.
    case input(String)

    package var description: String { remedy.isEmpty ? message : "\(message)\n\(remedy)" }

    /// What a person can do about it; empty where the message says it.
    package var remedy: String {
        switch self {
        case .unreachable:
            "Is the server running (`belfry serve`), and is this its address? Set it with --server or BELFRY_URL."
        case .refused(let refusal): refusal.remedy
        case .badAddress, .notJSON, .input: ""
        }
    }

    /// What is wrong.
    package var message: String {
        switch self {
        case .badAddress(let text):
            "'\(text)' is no address of a server; expected something like http://127.0.0.1:8080"
        case .unreachable(let address, let cause): "no answer from \(address): \(cause)"
        case .refused(let refusal): refusal.message
        case .notJSON(let start): "the answer is not JSON; it begins: \(start)"
        case .input(let text): text
        }
    }
}

/// A problem document of the server.
package struct Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    package var status: Int
    /// For programs, such as `not_found`; empty if the answer was no problem document.
    package var code: String
    package var title: String
    package var detail: String
    /// Where in the request something is wrong, and what.
    package var fields: [Field]
    package var requestID: String

    package struct Field: Sendable, Hashable {
        package var pointer: String
        package var detail: String
    }

    init(status: Int, document: JSON) {
        self.status = status
        code = document["code"].string ?? ""
        title = document["title"].string ?? "The server answered \(status)"
        detail = document["detail"].string ?? ""
        requestID = document["request_id"].string ?? ""
        fields = document["errors"].array.map {
            Field(pointer: $0["pointer"].string ?? "", detail: $0["detail"].string ?? "")
        }
    }

    package var description: String { remedy.isEmpty ? message : "\(message)\n\(remedy)" }

    package var message: String {
        var lines = [detail.isEmpty ? title : "\(title): \(detail)"]
        // One wrong field stands in the detail already.
        if fields.count > 1 { lines += fields.map { "  \($0.pointer): \($0.detail)" } }
        return lines.joined(separator: "\n")
    }

    /// What a person can do about it; empty where the message says it.
    package var remedy: String {
        switch status {
        case 401: "Give a key with --key-file, --key or BELFRY_KEY."
        case 500... where !requestID.isEmpty: "The server's log has more under \(requestID)."
        default: ""
        }
    }
}

extension Refusal {
    /// The same, with fields called as the caller's own user knows them.
    ///
    /// - Parameter names: by JSON pointer.
    package func naming(_ names: [String: String]) -> Refusal {
        var copy = self
        for index in copy.fields.indices {
            copy.fields[index].pointer = names[fields[index].pointer] ?? fields[index].pointer
        }
        if copy.fields.count == 1 {
            copy.detail = "\(copy.fields[0].pointer) \(copy.fields[0].detail)"
        }
        return copy
    }
}
