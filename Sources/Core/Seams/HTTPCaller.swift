/// Makes one HTTP call: the seam between what speaks a protocol (WeChat, webhooks) and the library that owns the sockets.
package protocol HTTPCaller: Sendable {
    /// - Throws: ``HTTPFailure``, which says whether the request can have reached the other side.
    func call(_ request: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer
}

package struct HTTPCall: Sendable {
    package var method: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]
    package var timeout: Duration
    /// The largest answer that is read, in bytes; a larger one is ``HTTPFailure/Kind/tooLarge``.
    package var answerLimit: Int
    /// Status and headers are all that is wanted: what cannot be read of the body, or is more than the limit, is left out.
    package var headSuffices: Bool
    /// Connect to this IP address instead of asking for the host's again: whoever checked the address gets no other one.
    /// Name, certificate and `Host` stay the URL's.
    package var address: String?

    package init(
        method: String = "GET",
        url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = [],
        timeout: Duration = .seconds(10),
        answerLimit: Int = 1 << 20,
        headSuffices: Bool = false,
        address: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.answerLimit = answerLimit
        self.headSuffices = headSuffices
        self.address = address
    }
}

package struct HTTPAnswer: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// Why a call brought no answer.
package struct HTTPFailure: Error, Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// No connection was made: the request surely did not reach the other side.
        case notConnected = "not_connected"
        /// The request may have been received: time ran out or the connection broke after it was sent.
        case noAnswer = "no_answer"
        /// The answer was larger than allowed.
        case tooLarge = "too_large"
        /// The address is not one that may be called (malformed, or private and not allowed).
        case forbidden
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
}

extension HTTPAnswer {
    /// The header `Retry-After` in its form of seconds; at most a day.
    package var retryAfter: Duration? {
        guard
            let header = headers.first(where: { $0.name.lowercased() == "retry-after" }),
            let seconds = Int64(header.value.filter { !$0.isWhitespace }), seconds >= 0
        else { return nil }
        return .seconds(min(seconds, 86_400))
    }
}
