import BelfryCore
import BelfrySimulation
import BelfryWeChat
import Testing

@Suite("Access tokens")
struct AccessTokenTests {
    private let clock = ManualClock()

    private func source(_ fake: FakeWeChat) -> AccessTokenSource {
        AccessTokenSource(
            credentials: WeChatCredentials(appID: "wx1", secret: "s3cret"),
            base: WeChatBaseURL("https://wechat.test"),
            caller: fake,
            clock: clock
        )
    }

    @Test("however many ask at once, one call is made")
    func singleFlight() async throws {
        let fake = FakeWeChat { _ in
            // Let everybody arrive before the answer does.
            for _ in 0..<200 { await Task.yield() }
            return .token("T1")
        }
        let source = source(fake)
        let tokens = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<100 { group.addTask { try? await source.token().value } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(tokens == Array(repeating: "T1", count: 100))
        #expect(fake.requests.count == 1)
        #expect(
            fake.requests[0].text
                == #"{"grant_type":"client_credential","appid":"wx1","secret":"s3cret","force_refresh":false}"#
        )
    }

    @Test("all who wait for a failed call learn of it, and none hangs")
    func sharedFailure() async {
        let fake = FakeWeChat { _ in
            for _ in 0..<200 { await Task.yield() }
            return .error(40013)
        }
        let source = source(fake)
        let codes = await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do throws(WeChatFailure) {
                        _ = try await source.token()
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes == Array(repeating: 40013, count: 20))
        #expect(fake.requests.count == 1)
    }

    @Test("while WeChat fails, one call a second is made, however many messages are due")
    func failureStorm() async throws {
        let counter = Counter()
        let fake = FakeWeChat { _ in
            counter.next() <= 2 ? .failure(.notConnected) : .token("T1")
        }
        let source = source(fake)
        for _ in 0..<100 {
            await #expect(throws: WeChatFailure.self) { try await source.token() }
        }
        #expect(fake.requests.count == 1)
        clock.advance(by: .seconds(1))
        await #expect(throws: WeChatFailure.self) { try await source.token() }
        #expect(fake.requests.count == 2)
        clock.advance(by: .seconds(1))
        #expect(try await source.token().value == "T1")
    }

    @Test("a token is used until its last five minutes, then replaced")
    func renewal() async throws {
        let counter = Counter()
        let fake = FakeWeChat { _ in .token("T\(counter.next())") }
        let source = source(fake)
        #expect(try await source.token().value == "T1")
        clock.advance(by: .seconds(7200 - 301))
        #expect(try await source.token().value == "T1")
        clock.advance(by: .seconds(1))
        #expect(try await source.token().value == "T2")
    }

    @Test(
        "while WeChat cannot be reached, the ageing token goes on, without a call for each message"
    )
    func spare() async throws {
        let counter = Counter()
        let fake = FakeWeChat { _ in
            counter.next() == 1 ? .token("T1") : .failure(.notConnected)
        }
        let source = source(fake)
        _ = try await source.token()
        clock.advance(by: .seconds(7000))
        for _ in 0..<50 { #expect(try await source.token().value == "T1") }
        #expect(fake.requests.count == 2)
        clock.advance(by: .seconds(11))
        _ = try await source.token()
        #expect(fake.requests.count == 3)
        clock.advance(by: .seconds(300))
        await #expect(throws: WeChatFailure.self) { try await source.token() }
    }

    @Test("a late refusal of an old token does not void its successor")
    func compareAndExpire() async throws {
        let counter = Counter()
        let fake = FakeWeChat { _ in .token("T\(counter.next())") }
        let source = source(fake)
        let first = try await source.token()
        source.refused(first)
        let second = try await source.token()
        #expect(second.value == "T2")
        source.refused(first)
        #expect(try await source.token() == second)
        #expect(fake.requests.count == 2)
    }

    @Test("where WeChat gives the refused token again, another is forced, at most every 30 seconds")
    func force() async throws {
        let counter = Counter()
        let fake = FakeWeChat { request in
            request.text.contains(#""force_refresh":true"#)
                ? .token("F\(counter.next())") : .token(counter.next() > 1 ? "F2" : "T1")
        }
        let source = source(fake)
        let first = try await source.token()
        #expect(first.value == "T1")
        source.refused(first)
        // Counter 2: the plain call gives F2, which is new.
        let second = try await source.token()
        #expect(second.value == "F2")
        source.refused(second)
        // The plain call gives F2 again: forced.
        let third = try await source.token()
        #expect(third.value == "F4")
        source.refused(third)
        #expect(try await source.token().value == "F2")
        let forced = fake.requests.count { $0.text.contains("true") }
        #expect(forced == 1)
    }

    @Test("a forced token that is refused too makes everybody wait, and no storm of calls")
    func forcePause() async throws {
        let fake = FakeWeChat { _ in .token("T1") }
        let source = source(fake)
        source.refused(try await source.token())
        for _ in 0..<3 {
            await #expect(
                throws: WeChatFailure(.tokenRefused(retryAfter: .seconds(30)), stage: .preparation)
            ) {
                try await source.token()
            }
        }
        #expect(fake.requests.count { $0.text.contains("true") } == 1)
        clock.advance(by: .seconds(31))
        await #expect(throws: WeChatFailure.self) { try await source.token() }
        #expect(fake.requests.count { $0.text.contains("true") } == 2)
    }

    @Test("when the one who fetches is cancelled, another takes over")
    func cancelledLeader() async throws {
        let counter = Counter()
        let fake = FakeWeChat { _ in
            if counter.next() > 1 { return .token("T2") }
            while !Task.isCancelled { await Task.yield() }
            return .failure(.noAnswer)
        }
        let source = source(fake)
        let leader = Task { try await source.token().value }
        while fake.requests.isEmpty { await Task.yield() }
        let follower = Task { try await source.token().value }
        for _ in 0..<100 { await Task.yield() }
        leader.cancel()
        #expect(try await follower.value == "T2")
        await #expect(throws: WeChatFailure.self) { try await leader.value }
    }

    @Test("neither token nor secret shows itself in logs")
    func hidden() async throws {
        let source = source(FakeWeChat { _ in .token("T0ken") })
        #expect(!"\(try await source.token())".contains("T0ken"))
        #expect(!"\(WeChatCredentials(appID: "a", secret: "s3cret"))".contains("s3cret"))
    }

    @Test(
        "an answer without a usable token is a failure, not a token",
        arguments: [
            #"{"access_token":"","expires_in":7200}"#, #"{"access_token":"T"}"#,
            #"{"access_token":"T","expires_in":-1}"#, #"{"access_token":"T","expires_in":1e300}"#,
            "<html></html>", "", "[]",
        ]
    )
    func unusable(body: String) async {
        let source = source(FakeWeChat { _ in .json(body) })
        await #expect(throws: WeChatFailure.self) { try await source.token() }
    }
}
