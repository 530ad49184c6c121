import BelfryCore
import Metrics

/// What the HTTP side counts.
struct HTTPInstruments: Sendable {
    let factory: PrometheusFactory

    /// - Parameter route: the template, never the path: paths have no bound.
    func record(route: String, method: String, status: Int, _ elapsed: Duration) {
        Counter(
            label: MetricName.httpRequests.rawValue,
            dimensions: [("route", route), ("method", method), ("status", "\(status / 100)xx")],
            factory: factory
        ).increment()
        Timer(
            label: MetricName.httpSeconds.rawValue,
            dimensions: [("route", route)],
            factory: factory
        ).recordNanoseconds(elapsed.nanoseconds)
    }

    func pushes(accepted: Int, refused: Int) {
        Counter(label: MetricName.pushesAccepted.rawValue, factory: factory)
            .increment(by: accepted)
        Counter(label: MetricName.pushesRefused.rawValue, factory: factory).increment(by: refused)
    }

    func callback(status: Int) {
        Counter(
            label: MetricName.callbacks.rawValue,
            dimensions: [("status", "\(status / 100)xx")],
            factory: factory
        ).increment()
    }

    func gauge(_ name: MetricName, _ value: Double, _ labels: [(String, String)] = []) {
        Meter(label: name.rawValue, dimensions: labels, factory: factory).set(value)
    }

    func dropped(_ count: Int) {
        Counter(label: MetricName.streamDropped.rawValue, factory: factory).increment(by: count)
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue
            &+ attoseconds / 1_000_000_000
    }
}
