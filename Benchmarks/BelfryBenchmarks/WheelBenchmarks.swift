import BelfryCore
import BelfryTimingWheel
import Benchmark

/// Timers spread over a day, as pushes are.
func wheelBenchmarks() {
    let count = 100_000
    Benchmark("wheel: insert \(count)") { benchmark in
        for _ in benchmark.scaledIterations {
            var wheel = TimingWheel()
            var random = SplitMix64(seed: 1)
            for value in 0..<UInt32(count) {
                blackHole(wheel.insert(due: Int64(random.next() % 86_400_000), value: value))
            }
        }
    }
    Benchmark("wheel: insert and expire \(count)") { benchmark in
        for _ in benchmark.scaledIterations {
            var wheel = TimingWheel()
            var random = SplitMix64(seed: 1)
            for value in 0..<UInt32(count) {
                blackHole(wheel.insert(due: Int64(random.next() % 86_400_000), value: value))
            }
            var sum: UInt64 = 0
            for minute in 1...1440 {
                wheel.expire(through: Int64(minute) * 60_000) { value, _ in sum &+= UInt64(value) }
            }
            blackHole(sum)
        }
    }
}
