import BelfryCore

/// An answer of the API: JSON with or without `errcode`. Errors come with HTTP 200.
struct APIAnswer {
    var value: JSONValue
    /// `nil` where the answer has no `errcode`, as those that bring data.
    var code: Int?

    /// - Throws: ``WeChatFailure`` unless the answer is a JSON object without an error.
    init(_ answer: HTTPAnswer, stage: WeChatFailure.Stage) throws(WeChatFailure) {
        guard let value = try? JSONValue(parsing: answer.body), case .object = value else {
            // Not WeChat's JSON: the status, if it tells anything, tells more than the parser's complaint.
            throw WeChatFailure(Self.problem(answer), stage: stage)
        }
        self.value = value
        code = value["errcode"]?.wholeNumber.flatMap { Int(exactly: $0) }
        if let code, code != 0 {
            let message = value["errmsg"]?.string ?? ""
            throw WeChatFailure(
                .refused(code: code, message: String(message.prefix(300))),
                stage: stage
            )
        }
        guard (200..<300).contains(answer.status) else {
            throw WeChatFailure(Self.problem(answer), stage: stage)
        }
    }

    func need(_ name: String) throws(WeChatFailure) -> String {
        guard let text = value[name]?.string, !text.isEmpty else {
            throw WeChatFailure(.unreadable("WeChat's answer has no \(name)"))
        }
        return text
    }

    private static func problem(_ answer: HTTPAnswer) -> WeChatFailure.Kind {
        guard (200..<300).contains(answer.status) else {
            return .status(answer.status, retryAfter: answer.retryAfter)
        }
        let start = answer.body.first { $0 > 0x20 }
        let what = start == UInt8(ascii: "<") ? "HTML" : "something that is not JSON"
        return .unreadable("the answer is \(what), \(answer.body.count) bytes")
    }
}
