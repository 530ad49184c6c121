extension WeChatSimulator {
    /// What the console says when the callback URL is saved.
    package enum Verification: Sendable, Hashable {
        case passed
        case failed(String)
    }

    /// Sends the GET by which WeChat verifies a callback URL. The echostr is plain in every mode, and must come back
    /// exactly.
    package func verifyCallback(of appID: String) async throws(SimulatorError) -> Verification {
        let account = try account(appID)
        guard let url = account.callbackURL else { return .failed("no callback URL") }
        let timestamp = String(clock.now() / 1000)
        let (nonce, echo) = change { ($0.random.number(9), $0.random.number(19)) }
        let signature = Signature.of(account.token, timestamp, nonce)
        let answer = await wire.get(
            url,
            query:
                "signature=\(signature)&timestamp=\(timestamp)&nonce=\(nonce)&echostr=\(echo)",
            timeout: account.answerTimeout
        )
        switch answer {
        case .body(let body):
            return body.elementsEqual(echo.utf8)
                ? .passed : .failed("the answer is not the echostr")
        case .status(let status): return .failed("status \(status)")
        case .none(let reason): return .failed(reason)
        }
    }
}
