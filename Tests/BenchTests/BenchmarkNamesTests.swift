import BelfryCore
import BelfryTestSupport
import Testing

@testable import BelfryBench
@testable import BelfryPeers

@Suite("The benchmarks that there are")
struct BenchmarkNamesTests {
    @Test("names are those of the documentation, in the order in which they run, none twice")
    func names() {
        #expect(
            Benchmark.all.map(\.name) == [
                "schedule.durable", "schedule.sustained", "growth.10m-over-100k",
                "memory.per-pending", "reopen.1m", "reopen.10m", "disk.over-live",
                "idle.wakeups-per-minute", "lateness.5k", "lateness.20k", "lateness.50k",
                "overload", "burst.200k.null", "burst.200k.webhook", "schedule.http",
                "callbacks.follow",
            ]
        )
        #expect(
            Benchmark.simplePeers.map(\.name) == [
                "schedule.redis", "memory.per-pending.redis", "schedule.beanstalkd",
                "schedule.beanstalkd.50ms",
            ]
        )
        #expect(
            Benchmark.reminders.map(\.name) == [
                "reminders.200k.null", "reminders.10k", "reminders.pending", "reminders.idle",
            ]
        )
    }

    @Test("the amount of work follows the scale, and never falls below the least")
    func scaling() {
        let tenth = BenchmarkSetting(folder: "", scale: 0.1)
        #expect(tenth.count(10_000_000) == 1_000_000)
        #expect(tenth.count(50, least: 20) == 20)
        #expect(BenchmarkSetting(folder: "").count(200_000) == 200_000)
        #expect(BenchmarkSetting(folder: "", scale: 2.5).count(4) == 10)
    }

    @Test("what measures the engine alone gives numbers under its own name at a small scale")
    func measures() async throws {
        let some = ["schedule.durable", "reopen.1m", "growth.10m-over-100k"]
        let (benchmarks, _) = Benchmark.named(some)
        for benchmark in benchmarks {
            let folder = TemporaryFolder()
            let setting = BenchmarkSetting(folder: folder.path, scale: 0.0001)
            let measurements = try await benchmark.run(setting)
            #expect(!measurements.isEmpty)
            for measurement in measurements {
                #expect(measurement.name.hasPrefix(benchmark.name))
                #expect(measurement.value > 0)
                #expect(measurement.reference ?? 0 > 0)
            }
        }
    }
}

@Suite("The pushes that everything is measured with")
struct BenchPushesTests {
    @Test("ids have 16 bytes, payloads 120, and the same push has the same delay, within a month")
    func records() {
        #expect(BenchPushes.id(0) != BenchPushes.id(1))
        for serial in [0, 1, 9_999_999] {
            #expect(BenchPushes.id(serial).count == 16)
            #expect(BenchPushes.delay(serial) == BenchPushes.delay(serial))
            #expect(BenchPushes.delay(serial) >= .seconds(3600))
            #expect(BenchPushes.delay(serial) < .seconds(31 * 86_400))
        }
        #expect(BenchPushes.payload.count == 120)
    }

    @Test("batches go on where the ones before ended")
    func batches() throws {
        let batches = try BenchPushes.batches(2, from: 5000)
        #expect(batches.map(\.count) == [1000, 1000])
        let text = String(decoding: batches[1].bytes, as: UTF8.self)
        #expect(text.contains("flow/a/100006000"))
        #expect(!text.contains("flow/a/100005999"))
    }
}
