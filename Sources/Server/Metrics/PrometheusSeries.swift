import Metrics
import Synchronization

/// A count that only grows.
final class PrometheusCounter: Series, CounterHandler {
    private let count = Atomic<Int64>(0)

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }

    func write(_ name: String, _ labels: String, to text: inout String) {
        text += PrometheusText.line(name, labels, String(count.load(ordering: .relaxed)))
    }
}

/// The newest value.
final class PrometheusGauge: Series, RecorderHandler, MeterHandler {
    private let value = Mutex(0.0)

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func write(_ name: String, _ labels: String, to text: inout String) {
        text += PrometheusText.line(name, labels, PrometheusGauge.text(value.withLock { $0 }))
    }

    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }
}

/// How values are spread, in seconds for timers: buckets from half a millisecond to a minute.
final class PrometheusHistogram: Series, RecorderHandler, TimerHandler {
    static let bounds: [Double] = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    private struct State {
        var buckets = [Int64](repeating: 0, count: PrometheusHistogram.bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let index = Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count
        state.withLock {
            $0.buckets[index] += 1
            $0.sum += value
        }
    }

    func write(_ name: String, _ labels: String, to text: inout String) {
        let state = state.withLock { $0 }
        let before = labels.isEmpty ? "" : labels + ","
        var cumulative: Int64 = 0
        for (index, count) in state.buckets.enumerated() {
            cumulative += count
            let bound =
                index < Self.bounds.count ? PrometheusGauge.text(Self.bounds[index]) : "+Inf"
            text += PrometheusText.line(
                name + "_bucket",
                before + "le=\"\(bound)\"",
                String(cumulative)
            )
        }
        text += PrometheusText.line(name + "_sum", labels, PrometheusGauge.text(state.sum))
        text += PrometheusText.line(name + "_count", labels, String(cumulative))
    }
}
