import BelfryChannels
import BelfryCore
import BelfryWeChat
import BelfryWeChatSimulator
import Synchronization
import Testing

/// The product's client and channel against the simulated WeChat, over real connections. What people saw is asked of the judge.
@Suite("Sending to the simulated WeChat")
struct SendingIntegrationTests {
    private static let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3, 4]
    private static let sendPath = "/cgi-bin/message/custom/send"

    /// A running simulator, an account, and a channel that sends for it.
    private struct Bench: Sendable {
        let simulator: WeChatSimulator
        let appID: String
        let channel: WeChatChannel

        func follower(_ deeds: Interaction...) async throws -> String {
            let person = try simulator.newOpenID(appID)
            try await simulator.perform(.follow(), by: person, of: appID)
            for deed in deeds { try await simulator.perform(deed, by: person, of: appID) }
            return person
        }

        func send(_ message: CustomerMessage, to person: String) async -> SendOutcome {
            let outbound = OutboundMessage(
                id: "push",
                recipient: Recipient(account: "a", person: person),
                body: message.json(),
                due: SystemClock().now()
            )
            return await channel.send([outbound])[0]
        }
    }

    private struct Files: MediaFiles {
        func load(_ reference: MediaReference) async throws(InvalidMessage) -> MediaFile {
            MediaFile(kind: reference.kind, bytes: SendingIntegrationTests.jpeg)
        }
    }

    private final class Cache: MediaCache {
        private let entries = Mutex<[MediaKey: UploadedMedia]>([:])

        func find(_ key: MediaKey) -> UploadedMedia? { entries.withLock { $0[key] } }
        func store(_ media: UploadedMedia, for key: MediaKey) {
            entries.withLock { $0[key] = media }
        }
        func forget(_ mediaID: String, for key: MediaKey) {
            entries.withLock { if $0[key]?.id == mediaID { $0[key] = nil } }
        }
    }

    private func run(
        timeout: Duration = .seconds(10),
        cache: any MediaCache = Cache(),
        _ body: (Bench) async throws -> Void
    ) async throws {
        let simulator = WeChatSimulator()
        let account = AccountSettings.sample("sending")
        simulator.put(account)
        let server = try await simulator.listen()
        let caller = HTTPClientCaller()
        let client = WeChatClient(
            credentials: WeChatCredentials(appID: account.appID, secret: account.secret),
            base: WeChatBaseURL(server.baseURL),
            caller: caller,
            clock: SystemClock(),
            timeout: timeout
        )
        let library = MediaLibrary(
            client: client,
            files: Files(),
            cache: cache,
            clock: SystemClock()
        )
        let sender = WeChatSender(client: client, media: library)
        let bench = Bench(
            simulator: simulator,
            appID: account.appID,
            channel: WeChatChannel(clock: SystemClock()) { $0 == "a" ? sender : nil }
        )
        let result: Result<Void, any Error>
        do {
            try await body(bench)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await caller.shutdown()
        await server.stop()
        try result.get()
    }

    @Test("people see exactly what was written, and after the window's count nothing more")
    func windows() async throws {
        try await run { bench in
            let person = try await bench.follower()
            let words = "你好 \"<a href=\"https://x/?a=1&b=2\">链接</a>\" \\ / 😀\n\u{2028}"
            for _ in 0..<3 {
                #expect(await bench.send(.text(words), to: person) == .sent(reference: nil))
            }
            guard case .refused(.count45047, _) = await bench.send(.text("4"), to: person) else {
                Issue.record("the fourth message must be refused")
                return
            }
            let seen = bench.simulator.deliveries(to: person, of: bench.appID)
            #expect(seen.map(\.text) == [words, words, words])
            #expect(seen.allSatisfy { !$0.garbled && $0.permitted })
            _ = try await bench.simulator.perform(.unfollow, by: person, of: bench.appID)
            guard case .refused(.window45015, _) = await bench.send(.text("5"), to: person) else {
                Issue.record("nobody who left may be written to")
                return
            }
            guard case .refused(.dead, let cause) = await bench.send(.text("6"), to: "stranger")
            else {
                Issue.record("a stranger must be refused")
                return
            }
            #expect(cause.code == "40003")
        }
    }

    @Test("every type of message that an account may send is taken")
    func types() async throws {
        try await run { bench in
            let article = NewsArticle(
                title: "题",
                description: "说明",
                url: "https://x/",
                pictureURL: "https://x/p.jpg"
            )
            let menu = MenuMessage(
                head: "h",
                entries: [.init(id: "1", content: "a"), .init(id: "2", content: "b")],
                tail: "t"
            )
            let media = try bench.simulator.addMedia(.video, to: bench.appID)
            let contents: [CustomerMessage.Content] = [
                .text("a"), .image(mediaID: "file:a.jpg"),
                .voice(mediaID: try bench.simulator.addMedia(.voice, to: bench.appID)),
                .video(VideoMessage(mediaID: media, thumbMediaID: "file:t.jpg", title: "t")),
                .music(
                    MusicMessage(
                        url: "https://x/1",
                        highQualityURL: "https://x/2",
                        thumbMediaID: "file:t.jpg"
                    )
                ),
                .news(article), .mpNews(mediaID: media), .mpNewsArticle(articleID: "A"),
                .menu(menu), .card(id: "c"),
                .miniProgramPage(
                    MiniProgramMessage(
                        title: "t",
                        appID: "wx123",
                        path: "p",
                        thumbMediaID: "file:t.jpg"
                    )
                ),
            ]
            for content in contents {
                let person = try await bench.follower()
                let message = CustomerMessage(content, agent: "kf@x", isAIGenerated: true)
                let outcome = await bench.send(message, to: person)
                #expect(outcome == .sent(reference: nil), "\(message.type)")
                let seen = bench.simulator.deliveries(to: person, of: bench.appID)
                #expect(seen.map(\.type) == [message.type])
            }
        }
    }

    @Test("a token that was voided is replaced without anybody noticing")
    func voidedToken() async throws {
        try await run { bench in
            let person = try await bench.follower(.say("hi"))
            #expect(await bench.send(.text("1"), to: person) == .sent(reference: nil))
            try bench.simulator.voidTokens(of: bench.appID)
            #expect(await bench.send(.text("2"), to: person) == .sent(reference: nil))
            let seen = bench.simulator.deliveries(to: person, of: bench.appID)
            #expect(seen.map(\.text) == ["1", "2"])
        }
    }

    @Test("a media id that WeChat has forgotten is replaced by a new upload")
    func forgottenMedia() async throws {
        let cache = Cache()
        let key = MediaKey(
            appID: AccountSettings.sample("sending").appID,
            kind: .image,
            hash: MediaFile(kind: .image, bytes: Self.jpeg).hash
        )
        cache.store(UploadedMedia(id: "forgotten", created: SystemClock().now()), for: key)
        try await run(cache: cache) { bench in
            let person = try await bench.follower()
            let message = CustomerMessage(.image(mediaID: "file:a.jpg"))
            #expect(await bench.send(message, to: person) == .sent(reference: nil))
            #expect(cache.find(key)?.id != "forgotten")
        }
    }

    @Test(
        "where the message was taken and the answer went wrong, its fate is unknown and it is seen once",
        arguments: [
            Fault.Kind.html(status: 502), .html(status: 200), .reset, .hang, .status(504),
        ]
    )
    func unknown(kind: Fault.Kind) async throws {
        try await run(timeout: kind == .hang ? .seconds(2) : .seconds(10)) { bench in
            let person = try await bench.follower()
            // Fetches the token, so that only the message meets the fault.
            #expect(await bench.send(.text("0"), to: person) == .sent(reference: nil))
            bench.simulator.add(
                FaultRule(Fault(kind, afterAccepting: true), path: Self.sendPath)
            )
            guard case .unknown = await bench.send(.text("1"), to: person) else {
                Issue.record("its fate is unknown")
                return
            }
            let seen = bench.simulator.deliveries(to: person, of: bench.appID)
            #expect(seen.map(\.text) == ["0", "1"])
        }
    }

    @Test("a busy system is tried again later, a ban stops the account, and nobody saw anything")
    func refused() async throws {
        try await run { bench in
            let person = try await bench.follower()
            bench.simulator.add(FaultRule(Fault(.busy), path: Self.sendPath))
            guard case .retry = await bench.send(.text("1"), to: person) else {
                Issue.record("must be tried again")
                return
            }
            bench.simulator.add(FaultRule(Fault(.refuse(48_004)), path: Self.sendPath))
            guard case .stopAccount = await bench.send(.text("1"), to: person) else {
                Issue.record("must stop the account")
                return
            }
            #expect(bench.simulator.count == 0)
        }
    }
}
