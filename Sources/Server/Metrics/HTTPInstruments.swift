import BelfryCore
import Metrics
import Synchronization

/// What the HTTP side counts.
struct HTTPInstruments: Sendable {
    let factory: PrometheusFactory
    private let shelf = RequestMeters()

    init(factory: PrometheusFactory) { self.factory = factory }

    /// - Parameter route: the template, never the path: paths have no bound.
    func record(route: String, method: String, status: Int, _ elapsed: Duration) {
        let kind = RequestKind(route: route, method: method, statusClass: status / 100)
        shelf.meters(of: kind, factory).record(elapsed)
    }

    func pushes(accepted: Int, refused: Int) {
        Counter(label: MetricName.pushesAccepted.rawValue, factory: factory)
            .increment(by: accepted)
        Counter(label: MetricName.pushesRefused.rawValue, factory: factory).increment(by: refused)
    }

    func callback(status: Int) { shelf.callbacks(answered: status / 100, factory).increment() }

    func gauge(_ name: MetricName, _ value: Double, _ labels: [(String, String)] = []) {
        Meter(label: name.rawValue, dimensions: labels, factory: factory).set(value)
    }

    func dropped(_ count: Int) {
        Counter(label: MetricName.streamDropped.rawValue, factory: factory).increment(by: count)
    }
}

/// What requests are told apart by.
private struct RequestKind: Hashable {
    var route: String
    var method: String
    var statusClass: Int
}

private struct RequestMeter {
    let count: Counter
    let time: Timer

    init(_ kind: RequestKind, _ factory: PrometheusFactory) {
        count = Counter(
            label: MetricName.httpRequests.rawValue,
            dimensions: [
                ("route", kind.route), ("method", kind.method),
                ("status", "\(kind.statusClass)xx"),
            ],
            factory: factory
        )
        time = Timer(
            label: MetricName.httpSeconds.rawValue,
            dimensions: [("route", kind.route)],
            factory: factory
        )
    }

    func record(_ elapsed: Duration) {
        count.increment()
        time.recordNanoseconds(elapsed.nanoseconds)
    }
}

/// Keeps what was made before: to make a meter is to write its labels out, which costs more than to count.
private final class RequestMeters: Sendable {
    /// A client chooses the method; beyond this many kinds, meters are made anew and the registry bounds them.
    private static let limit = 2_000

    private let made = Mutex<[RequestKind: RequestMeter]>([:])
    private let callbacks = Mutex<[Int: Counter]>([:])

    func meters(of kind: RequestKind, _ factory: PrometheusFactory) -> RequestMeter {
        made.withLock { made in
            if let known = made[kind] { return known }
            let meter = RequestMeter(kind, factory)
            if made.count < Self.limit { made[kind] = meter }
            return meter
        }
    }

    func callbacks(answered statusClass: Int, _ factory: PrometheusFactory) -> Counter {
        callbacks.withLock { callbacks in
            if let known = callbacks[statusClass] { return known }
            let counter = Counter(
                label: MetricName.callbacks.rawValue,
                dimensions: [("status", "\(statusClass)xx")],
                factory: factory
            )
            callbacks[statusClass] = counter
            return counter
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue
            &+ attoseconds / 1_000_000_000
    }
}
