package import BelfryCore
import Synchronization

/// Gives out an account's access token and fetches another when it is needed: one fetch at a time, however many ask.
///
/// Uses `stable_token`: several processes may ask and get the same token, so nothing need be stored, and a restart costs one call.
package final class AccessTokenSource: Sendable {
    private let credentials: WeChatCredentials
    private let base: WeChatBaseURL
    private let caller: any HTTPCaller
    private let clock: any WallClock
    private let shared = Mutex(Shared())

    private struct Shared {
        var state = AccessTokenState()
        var fetching = false
        var waiting: [CheckedContinuation<Turn, Never>] = []
    }

    /// What somebody who waited for a fetch learns.
    private enum Turn {
        /// The fetch ended, or the one who fetched was cancelled: look again.
        case again
        case failed(WeChatFailure)
    }

    private enum Step {
        case good(AccessToken)
        case fetch(spare: AccessToken?)
        case failed(WeChatFailure)
        case wait
    }

    package init(
        credentials: WeChatCredentials,
        base: WeChatBaseURL,
        caller: any HTTPCaller,
        clock: any WallClock
    ) {
        self.credentials = credentials
        self.base = base
        self.caller = caller
        self.clock = clock
    }

    /// A token that is good for at least five minutes, or, where WeChat cannot be reached, the one that still works.
    ///
    /// - Throws: ``WeChatFailure`` of stage `preparation`.
    package func token() async throws(WeChatFailure) -> AccessToken {
        while true {
            switch step() {
            case .good(let token): return token
            case .failed(let failure): throw failure
            case .fetch(let spare): return try await lead(spare)
            case .wait:
                if case .failed(let failure) = await wait() { throw failure }
            }
        }
    }

    /// WeChat said 40001, 40014 or 42001 to this token. Only if it is still the current one is it forgotten.
    package func refused(_ token: AccessToken) { shared.withLock { $0.state.refused(token) } }

    // MARK: One fetch at a time

    private func step() -> Step {
        let now = clock.now()
        return shared.withLock { shared in
            switch shared.state.need(at: now) {
            case .good(let token): return .good(token)
            case .failed(let failure): return .failed(failure)
            // While the old token still works, nobody waits for the new one.
            case .fetch(let spare?) where shared.fetching: return .good(spare)
            case .fetch(nil) where shared.fetching: return .wait
            case .fetch(let spare):
                shared.fetching = true
                return .fetch(spare: spare)
            }
        }
    }

    private func wait() async -> Turn {
        await withCheckedContinuation { continuation in
            let ended = shared.withLock { shared in
                guard shared.fetching else { return true }
                shared.waiting.append(continuation)
                return false
            }
            if ended { continuation.resume(returning: .again) }
        }
    }

    private func lead(_ spare: AccessToken?) async throws(WeChatFailure) -> AccessToken {
        do {
            let token = try await fetch()
            finish(.again)
            return token
        } catch {
            let now = clock.now()
            // A cancelled leader says nothing about WeChat: the next in line takes over.
            let cancelled = Task.isCancelled
            shared.withLock { $0.state.failed(cancelled ? nil : error, at: now) }
            finish(cancelled ? .again : .failed(error))
            if let spare { return spare }
            throw error
        }
    }

    private func finish(_ turn: Turn) {
        let waiting = shared.withLock { shared in
            shared.fetching = false
            defer { shared.waiting = [] }
            return shared.waiting
        }
        for continuation in waiting { continuation.resume(returning: turn) }
    }

    // MARK: The call

    private func fetch() async throws(WeChatFailure) -> AccessToken {
        var forced = false
        while true {
            let token = try await ask(force: forced)
            let now = clock.now()
            switch shared.withLock({ $0.state.fetched(token, forced: forced, at: now) }) {
            case .good(let token): return token
            case .wait(let pause):
                throw WeChatFailure(.tokenRefused(retryAfter: pause), stage: .preparation)
            // At most once: a forced answer is either good or waits.
            case .force: forced = true
            }
        }
    }

    private func ask(force: Bool) async throws(WeChatFailure) -> AccessToken {
        let body = JSONValue.members([
            "grant_type": .string("client_credential"),
            "appid": .string(credentials.appID),
            "secret": .string(credentials.secret),
            "force_refresh": .bool(force),
        ])
        let call = HTTPCall(
            method: "POST",
            url: base.url("/cgi-bin/stable_token", [:]),
            headers: [("content-type", "application/json")],
            body: body.bytes,
            answerLimit: 64 * 1024
        )
        // Its life counts from before the call, so that a slow answer makes it shorter, not longer.
        let asked = clock.now()
        let answer: HTTPAnswer
        do { answer = try await caller.call(call) } catch {
            throw WeChatFailure(.transport(error), stage: .preparation)
        }
        let json = try APIAnswer(answer, stage: .preparation)
        guard let value = json.value["access_token"]?.string, !value.isEmpty,
            let life = json.value["expires_in"]?.wholeNumber, (1...86_400).contains(life)
        else {
            throw WeChatFailure(.unreadable("WeChat's answer has no token"), stage: .preparation)
        }
        return AccessToken(value: value, obtained: asked, expires: asked + .seconds(life))
    }
}
