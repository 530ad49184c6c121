import Testing

@Suite("belfry wechat-simulator")
struct SimulatorCommandTests {
    @Test(
        "wrong options end with 64",
        arguments: [
            ["--port", "70000"], ["--mode", "secret"], ["--windows", "2077"],
            ["--callback-url", "example.com"],
        ]
    )
    func options(arguments: [String]) async throws {
        #expect(try await Program.run(["wechat-simulator"] + arguments).code == 64)
    }
}
