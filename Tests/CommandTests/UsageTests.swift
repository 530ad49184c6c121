import Testing

@Suite("The command line")
struct UsageTests {
    @Test(
        "wrong use is told with the right use, and ends with 64",
        arguments: [
            ["no-such-command"], ["push", "schedule"], ["push", "find"], ["bench", "--scale", "0"],
            ["bench", "--only", "no-such-benchmark"],
            ["push", "schedule", "--id", "a", "--to", "b", "--channel", "log", "--payload", "x"],
            [
                "push", "schedule", "--id", "a", "--to", "b", "--channel", "log", "--payload", "x",
                "--in",
                "1s", "--at", "2026-01-01T00:00:00Z",
            ],
        ]
    )
    func usage(arguments: [String]) async throws {
        let result = try await Program.run(arguments)
        #expect(result.code == 64)
        #expect(result.err.contains("Usage: belfry"))
        #expect(result.out.isEmpty)
    }

    @Test("--version and --help end well")
    func version() async throws {
        #expect(try await Program.run(["--version"]).out == "0.1.0\n")
        let help = try await Program.run(["--help"])
        #expect(help.code == 0)
        #expect(help.out.contains("Exit codes"))
    }

    @Test("a server that does not answer ends with 69 and says what to look at")
    func unreachable() async throws {
        // Port 9 on loopback: nothing listens on the discard port of a machine that runs tests.
        let result = try await Program.run(["push", "find", "a", "--server", "http://127.0.0.1:9"])
        #expect(result.code == 69)
        #expect(result.err.contains("no answer from http://127.0.0.1:9"))
        #expect(result.err.contains("belfry serve"))
    }

    @Test("an address that is none ends with 65", arguments: ["example.com", "ftp://x", "http://"])
    func address(text: String) async throws {
        let result = try await Program.run(["push", "find", "a", "--server", text])
        #expect(result.code == 65)
        #expect(result.err.contains("'\(text)' is no address"))
    }

    @Test("a key file that is not there ends with 74")
    func keyFile() async throws {
        let result = try await Program.run(["push", "find", "a", "--key-file", "/nowhere/key"])
        #expect(result.code == 74)
        #expect(result.err == "belfry: /nowhere/key: No such file or directory\n")
    }
}
