import BelfryCore
import Foundation
import Testing

@testable import BelfryServer

@Suite("The configuration")
struct ConfigurationTests {
    private func load(
        _ yaml: String? = nil,
        environment: [String: String] = [:],
        flags: [String: String] = [:]
    ) throws -> LoadedConfiguration {
        let file = try yaml.map { try ConfigurationFile(path: "belfry.yaml", text: $0) }
        return try ServerConfiguration.load(
            ConfigurationSources(environment: environment, flags: flags),
            file: file
        )
    }

    private func problems(
        _ yaml: String? = nil,
        environment: [String: String] = [:],
        flags: [String: String] = [:]
    ) -> [String] {
        do {
            _ = try load(yaml, environment: environment, flags: flags)
            return []
        } catch {
            return (error as? ConfigurationError)?.problems ?? ["\(error)"]
        }
    }

    private func value(_ key: String, _ loaded: LoadedConfiguration) -> (String, String)? {
        loaded.values.first { $0.key == key }.map { ($0.value, $0.origin) }
    }

    @Test("lets flags win over the environment, that over the file, that over the defaults")
    func precedence() throws {
        let yaml = "http:\n  port: 1001\n  host: localhost\nlog.level: debug\n"
        let environment = ["BELFRY_HTTP_PORT": "1002", "BELFRY_LOG_LEVEL": "error"]
        let loaded = try load(yaml, environment: environment, flags: ["http.port": "1003"])
        #expect(loaded.configuration.http.port == 1003)
        #expect(loaded.configuration.log.level == "error")
        #expect(loaded.configuration.http.host == "localhost")
        #expect(value("http.port", loaded)! == ("1003", "--http-port"))
        #expect(value("log.level", loaded)! == ("error", "BELFRY_LOG_LEVEL"))
        #expect(value("http.host", loaded)! == ("localhost", "belfry.yaml:3"))
        #expect(value("data.folder", loaded)! == ("belfry-data", "default"))
    }

    @Test("knows every default: reading nothing gives exactly the defaults")
    func defaults() throws {
        let loaded = try load()
        #expect(loaded.configuration == ServerConfiguration())
        #expect(loaded.values.count == Setting.all.count)
        #expect(Set(Setting.all.map(\.key)).count == Setting.all.count)
    }

    @Test("refuses unknown keys wherever they stand, and says what was meant")
    func unknown() {
        let found = problems(
            "http:\n  prot: 80\n",
            environment: ["BELFRY_HTTP_HOTS": "x", "OTHER": "y"],
            flags: ["log.levle": "info"]
        )
        #expect(
            found == [
                "belfry.yaml:2: unknown key 'http.prot'; did you mean 'http.port'?",
                "environment: unknown key 'BELFRY_HTTP_HOTS'; did you mean 'BELFRY_HTTP_HOST'?",
                "flags: unknown key 'log.levle'; did you mean 'log.level'?",
            ]
        )
    }

    static let badValues: [(String, String)] = [
        ("http.port: 70000", "belfry.yaml:1: http.port must be a whole number from 0 to 65535"),
        ("http.port: x", "belfry.yaml:1: http.port must be a whole number from 0 to 65535"),
        (
            "http.idle-timeout: soon",
            "belfry.yaml:1: http.idle-timeout must be 100ms to 1h, such as 90s or PT1M30S"
        ),
        (
            "webhook:\n  allow:\n    - 10.0.0.0/99",
            "belfry.yaml:2: webhook.allow '10.0.0.0/99' cannot be used: must be a host name, an address, or a block of them such as 10.1.0.0/16 or fd00::/8"
        ),
        (
            "webhook.allow: [localhost, 10.0.0]",
            "belfry.yaml:1: webhook.allow '10.0.0' cannot be used: must be a host name, an address, or a block of them such as 10.1.0.0/16 or fd00::/8"
        ),
        (
            "wechat.base-url: nonsense",
            "belfry.yaml:1: wechat.base-url 'nonsense' cannot be used: must be an address such as https://example.com, with http or https and a host"
        ),
        ("http.auth: none", "belfry.yaml:1: http.auth must be one of keys, loopback-open"),
        ("http.access-log: maybe", "belfry.yaml:1: http.access-log must be true or false"),
        (
            "http.body-bytes-max: 1TB",
            "belfry.yaml:1: http.body-bytes-max must be 1KiB to 64MiB, such as 64MiB"
        ),
        ("http:\n  host: [a]\n  port: 1\nhttp.port: 2", "belfry.yaml:4: 'http.port' is set twice"),
    ]

    @Test("refuses values out of range, at their line", arguments: badValues)
    func ranges(yaml: String, problem: String) {
        #expect(problems(yaml).contains(problem))
    }

    @Test("refuses settings that contradict each other")
    func contradictions() {
        let open = problems("http.auth: loopback-open\nhttp.host: 0.0.0.0")
        #expect(open.count == 1 && open[0].contains("loopback"))
        #expect(problems("delivery.backoff-base: 1h\ndelivery.backoff-max: 1s").count == 1)
    }

    @Test("shows no secret, in text or JSON")
    func redaction() throws {
        let loaded = try load(environment: ["BELFRY_SECRET_KEY": "c2VjcmV0LXNlY3JldA=="])
        #expect(loaded.configuration.secret.key == "c2VjcmV0LXNlY3JldA==")
        for shown in [loaded.text(), loaded.json()] {
            #expect(shown.contains("<redacted>") && !shown.contains("c2Vj"))
        }
        #expect(JSONValue.parse(loaded.json())?.array?.count == Setting.all.count)
    }

    @Test("reads lists and a value with a comma")
    func lists() throws {
        let file = try load("webhook:\n  allow:\n    - 10.0.0.0/8\n    - localhost\n")
        #expect(file.configuration.webhook.allow == ["10.0.0.0/8", "localhost"])
        let environment = try load(environment: ["BELFRY_WEBHOOK_ALLOW": "a,b"])
        #expect(environment.configuration.webhook.allow == ["a", "b"])
        let flag = try load(flags: ["data.folder": "a,b"])
        #expect(flag.configuration.data.folder == "a,b")
    }

    @Test("says which file cannot be read, and where YAML is broken")
    func files() {
        let missing = #expect(throws: ConfigurationError.self) {
            try ServerConfiguration.load(ConfigurationSources(file: "/nowhere/belfry.yaml"))
        }
        #expect(missing?.description.contains("/nowhere/belfry.yaml") == true)
        #expect(problems("http: {port: 1").first?.hasPrefix("belfry.yaml: ") == true)
        #expect(problems("- a\n- b").first?.hasPrefix("belfry.yaml:1: ") == true)
        #expect(problems("").isEmpty)
    }
}
