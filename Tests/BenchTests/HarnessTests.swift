import Foundation
import Synchronization
import Testing

@testable import BelfryBench

@Suite("The benchmark harness")
struct HarnessTests {
    @Test("a measurement is one line of JSON with its ratio to the raw limit")
    func json() {
        #expect(
            Measurement("schedule.durable", 350_000, "pushes/s", reference: 500_000).json
                == #"{"name":"schedule.durable","value":350000,"unit":"pushes/s","reference":500000,"ratio":0.7}"#
        )
        #expect(
            Measurement("lateness", 0.1234567, "ms").json
                == #"{"name":"lateness","value":0.123457,"unit":"ms","reference":null,"ratio":null}"#
        )
    }

    @Test("benchmarks are found by name, and unknown names are told")
    func named() {
        let known = ["a", "b"].map { Benchmark($0, "") { _ in [] } }
        #expect(Benchmark.named([], among: known).found.map(\.name) == ["a", "b"])
        let (found, unknown) = Benchmark.named(["b", "c"], among: known)
        #expect(found.map(\.name) == ["b"])
        #expect(unknown == ["c"])
    }

    @Test("each benchmark has a folder of its own, which is gone afterwards, also when it fails")
    func folders() async throws {
        struct Broken: Error {}
        let seen = Mutex<[String]>([])
        let good = Benchmark("good", "") { setting in
            seen.withLock { $0.append(setting.folder) }
            #expect(FileManager.default.fileExists(atPath: setting.folder))
            return [Measurement("good", 1, "x")]
        }
        let bad = Benchmark("bad", "") { setting in
            seen.withLock { $0.append(setting.folder) }
            throw Broken()
        }
        let run = BenchmarkRun([good, bad], folder: FileManager.default.temporaryDirectory.path())
        var reported: [String] = []
        await #expect(throws: Broken.self) { try await run.run { reported += $0.map(\.name) } }
        #expect(reported == ["good"])
        let folders = seen.withLock { $0 }
        #expect(Set(folders).count == 2)
        for folder in folders { #expect(!FileManager.default.fileExists(atPath: folder)) }
    }
}
