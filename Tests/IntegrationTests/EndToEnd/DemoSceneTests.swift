import BelfryDemo
import BelfryTestSupport
import Logging
import Testing

@Suite("The scene of the demonstration")
struct DemoSceneTests {
    @Test(
        "nothing is lost, early, doubled or sent without permission, and every planned push has one end",
        arguments: [1, 20_261_120] as [UInt64]
    )
    func clean(seed: UInt64) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let scene = DemoScene(
            followers: 100,
            seed: seed,
            folder: TemporaryFolder(isMade: false).path,
            logger: logger
        )
        let summary = try await scene.play()
        #expect(summary.followers >= 100)
        #expect(summary.planned > summary.followers)
        #expect(summary.outcomes.values.reduce(0, +) == summary.planned)
        #expect(summary.outcomes["sent", default: 0] > 100)
        #expect(summary.lost == 0)
        #expect(summary.early == 0)
        #expect(summary.duplicated == 0)
        #expect(summary.sentWithoutPermission == 0)
        #expect(summary.lateness.p50 >= 0)
        #expect(summary.lateness.p50 <= summary.lateness.p99)
        #expect(summary.lateness.p99 <= summary.lateness.max)
    }
}
