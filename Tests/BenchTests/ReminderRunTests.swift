import BelfryCore
import BelfryTestSupport
import Testing

@testable import BelfryBench
@testable import BelfryPeers

@Suite("Reminders on Redis, measured")
struct ReminderRunTests {
    @Test(
        "each design hands every reminder over, none early, and Redis has worked for it",
        arguments: [
            ReminderRun.Design.belfry, .classic(.pipelined), .classic(.single),
        ]
    )
    func run(_ design: ReminderRun.Design) async throws {
        let folder = TemporaryFolder()
        var run = ReminderRun(
            design,
            workers: 2,
            // Seconds to spare on a machine that is busy.
            DeliveryLoad(count: 1000, spread: .milliseconds(100), scheduledAt: 100)
        )
        run.pending = 1000
        let outcome = try await run.run(in: folder.path)
        #expect(outcome.log.received == 1000 && outcome.log.early == 0)
        #expect(outcome.operations > 1 && outcome.bytes > 120 && outcome.perCore > 0)
        #expect(try #require(outcome.memory) > 120)
    }

    @Test("what INFO answers is read; a field that is missing is named")
    func usage() throws {
        let info = """
            # CPU\r\nused_cpu_sys_main_thread:1.5\r\nused_cpu_user_main_thread:2\r\n\
            total_commands_processed:7\r\ntotal_net_input_bytes:100\r\n\
            total_net_output_bytes:50\r\nused_memory:1000\r\n
            """
        let usage = try RedisUsage(info)
        #expect(usage.processor == 3.5 && usage.bytes == 150 && usage.operations == 7)
        #expect(throws: (any Error).self) { try RedisUsage("used_memory:1\r\n") }
    }
}
