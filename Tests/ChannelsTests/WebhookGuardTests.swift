import BelfryChannels
import BelfryCore
import BelfrySimulation
import Synchronization
import Testing

@Suite("Webhooks stay out of the private network")
struct WebhookGuardTests {
    private let clock = ManualClock()

    private func check(
        _ url: String,
        allowed: [String] = [],
        resolver: any HostResolver = SystemResolver()
    ) async -> Result<String, HTTPFailure> {
        let guardian = WebhookGuard(
            allowed: .init(allowed),
            resolver: resolver,
            clock: clock
        )
        do { return .success(try await guardian.check(url)) } catch { return .failure(error) }
    }

    private func kind(_ result: Result<String, HTTPFailure>) -> HTTPFailure.Kind? {
        if case .failure(let failure) = result { failure.kind } else { nil }
    }

    @Test(
        "private, local, reserved and metadata addresses are refused, however they are written",
        arguments: [
            "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "017700000001", "0",
            "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
            "100.100.100.200", "169.254.169.254", "168.63.129.16", "192.0.0.192", "198.18.0.1",
            "224.0.0.1", "255.255.255.255", "240.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::a00:1]", "[2002:7f00:1::]",
            "[2001::1]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]",
            "[2001:db8::1]", "localhost", "LOCALHOST",
        ]
    )
    func refused(host: String) async {
        #expect(kind(await check("http://\(host)/hook")) == .forbidden)
        #expect(kind(await check("https://\(host):8443/hook")) == .forbidden)
        #expect(throws: HTTPFailure.self) {
            try WebhookGuard.Allowed().judge("https://\(host):8443/hook")
        }
    }

    @Test(
        "public addresses are taken",
        arguments: [
            "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]",
            "[::ffff:8.8.8.8]", "[64:ff9b::808:808]",
        ]
    )
    func taken(host: String) async {
        #expect(kind(await check("https://\(host)/")) == nil)
        #expect(throws: Never.self) { try WebhookGuard.Allowed().judge("https://\(host)/") }
    }

    @Test(
        "other schemes, user names and odd hosts are refused",
        arguments: [
            "ftp://8.8.8.8/", "file:///etc/passwd", "gopher://8.8.8.8/", "//8.8.8.8/", "8.8.8.8",
            "http://user@8.8.8.8/", "http://a:b@8.8.8.8/", "http://8.8.8.8@127.0.0.1/",
            "http://a%2fb/", "http:///x", "http://[::1%25lo]/", "",
        ]
    )
    func malformed(url: String) async {
        #expect(kind(await check(url)) == .forbidden)
        #expect(throws: HTTPFailure.self) { try WebhookGuard.Allowed().judge(url) }
    }

    @Test(
        "a port that cannot be is refused at once",
        arguments: ["0", "65536", "99999", "99999999999999999999", "-1", "8o"]
    )
    func impossiblePorts(port: String) {
        #expect(throws: HTTPFailure.self) {
            try WebhookGuard.Allowed().judge("https://example.com:\(port)/hook")
        }
    }

    @Test("possible ports pass", arguments: ["", ":", ":1", ":65535", ":8443/a:99999", "?a=b:0"])
    func possiblePorts(rest: String) throws {
        try WebhookGuard.Allowed().judge("https://example.com\(rest)")
        try WebhookGuard.Allowed().judge("https://[2606:4700:4700::1111]\(rest)")
    }

    @Test("a name is only judged when it is called; what the operator allows passes at once")
    func judgedEarly() throws {
        try WebhookGuard.Allowed().judge("https://no-such-name.invalid/hook")
        try WebhookGuard.Allowed(["10.1.0.0/16"]).judge("http://10.1.2.3/")
        try WebhookGuard.Allowed(["127.1"]).judge("http://127.1/")
        try WebhookGuard.Allowed(["localhost"]).judge("http://localhost/")
    }

    @Test("the operator may allow blocks and hosts, and only these")
    func allowed() async {
        let lists = ["10.1.0.0/16", "::1", "localhost"]
        #expect(kind(await check("http://10.1.2.3/", allowed: lists)) == nil)
        #expect(kind(await check("http://[::ffff:10.1.2.3]/", allowed: lists)) == nil)
        #expect(kind(await check("http://[::1]/", allowed: lists)) == nil)
        #expect(kind(await check("http://LocalHost/", allowed: lists)) == nil)
        #expect(kind(await check("http://10.2.0.1/", allowed: lists)) == .forbidden)
        #expect(kind(await check("http://127.0.0.1/", allowed: lists)) == .forbidden)
    }

    @Test("a name with one public and one private address is refused")
    func mixed() async {
        let resolver = FixedResolver([["8.8.8.8", "10.0.0.1"]])
        #expect(kind(await check("http://two.example/", resolver: resolver)) == .forbidden)
    }

    @Test(
        "the address that was checked is the one that is given back, and is kept for half a minute"
    )
    func rebinding() async throws {
        let resolver = FixedResolver([["2606:4700::1111", "8.8.8.8"], ["10.0.0.1"]])
        let guardian = WebhookGuard(resolver: resolver, clock: clock)
        #expect(try await guardian.check("http://turn.example/") == "8.8.8.8")
        #expect(try await guardian.check("http://turn.example/other") == "8.8.8.8")
        clock.advance(by: .seconds(31))
        await #expect(throws: HTTPFailure.self) { try await guardian.check("http://turn.example/") }
    }

    @Test("a name without an address is surely not connected")
    func unknown() async {
        #expect(kind(await check("http://nobody.invalid/")) == .notConnected)
        #expect(
            kind(await check("http://empty.example/", resolver: FixedResolver([[]])))
                == .notConnected
        )
    }

    @Test("blocks are read, and what is none is not")
    func blocks() throws {
        let block = try #require(AddressBlock("172.16.0.0/12"))
        #expect(block.contains(try #require(IPAddress("172.31.255.255"))))
        #expect(!block.contains(try #require(IPAddress("172.32.0.0"))))
        #expect(!block.contains(try #require(IPAddress("::1"))))
        for text in ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "a/8", "10/8"] {
            #expect(AddressBlock(text) == nil, "\(text)")
        }
    }
}

/// Gives prepared answers, one after the other; the last one for ever.
private final class FixedResolver: HostResolver {
    private let answers: Mutex<[[String]]>

    init(_ answers: [[String]]) { self.answers = Mutex(answers) }

    func resolve(_ host: String) async throws(HTTPFailure) -> [IPAddress] {
        answers.withLock { answers in
            let next = answers.count > 1 ? answers.removeFirst() : answers[0]
            return next.compactMap { IPAddress($0) }
        }
    }
}
