import BelfryCore
import Benchmark

/// A batch as it goes into the journal: 1,000 pushes of 120 bytes.
func packingBenchmarks() {
    let payload = [UInt8](repeating: 0x61, count: 120)
    let pushes = (0..<1000).map { number in
        Push(
            id: PushID("bench/\(number)"),
            recipient: Recipient(account: "bench", person: "person-\(number)"),
            due: Timestamp(milliseconds: 1_800_000_000_000 + Int64(number)),
            channel: "log",
            payload: payload
        )
    }
    Benchmark("batch: pack 1000 pushes") { benchmark in
        for _ in benchmark.scaledIterations { blackHole(try PushBatch(pushes)) }
    }
    Benchmark("batch: read 1000 packed pushes") { benchmark in
        let batch = try PushBatch(pushes)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            var offset = 0
            let bytes = batch.bytes.span
            while offset < bytes.count, let record = PushRecord(bytes, at: offset) {
                blackHole(record.due)
                offset += record.length
            }
        }
    }
}
