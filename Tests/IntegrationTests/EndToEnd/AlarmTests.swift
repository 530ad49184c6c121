import BelfryCore
import BelfryServer
import BelfrySimulation
import BelfryTestSupport
import Testing

@Suite("What wakes delivery")
struct AlarmTests {
    @Test("a look at every tick, where the settings want that, with the pushes in the data folder")
    func polling() async throws {
        try await World.with(
            clock: JumpingClock(),
            configure: {
                $0.timeline.alarm = .polling
                $0.timeline.tick = .milliseconds(10)
            },
            { world in
                try await world.run { node in
                    let person = try await world.follower()
                    try await world.pass(node)
                    #expect(world.seen(person).count == 2)
                    #expect(try await world.ends(node, person) == [.sent, .sent])
                }
            }
        )
    }

    @Test(
        "the ends of Redis' keys are refused where the pushes are elsewhere, with what to choose",
        arguments: ["", "postgres://belfry@127.0.0.1:1/belfry"]
    )
    func keyspace(url: String) async throws {
        let folder = TemporaryFolder()
        var configuration = ServerConfiguration()
        configuration.data.folder = folder.path
        configuration.timeline.url = url
        configuration.timeline.alarm = .keyspace
        let failure = await #expect(throws: StartFailure.self) {
            _ = try await BelfryNode.open(configuration, logger: World.logger)
        }
        #expect(failure?.kind == .misconfigured)
        let message = failure?.description ?? ""
        #expect(message.contains("timeline.alarm: keyspace is for pushes on Redis"), "\(message)")
        #expect(message.contains("choose hints or polling"))
    }
}
