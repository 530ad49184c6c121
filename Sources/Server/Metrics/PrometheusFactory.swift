package import CoreMetrics

/// Lets everything that speaks swift-metrics count into a ``PrometheusRegistry``.
package struct PrometheusFactory: MetricsFactory {
    package let registry: PrometheusRegistry

    package init(registry: PrometheusRegistry) { self.registry = registry }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        registry.series(label, dimensions.map { ($0.0, $0.1) }, .counter) { PrometheusCounter() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        registry.series(label, dimensions.map { ($0.0, $0.1) }, .gauge) { PrometheusGauge() }
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool)
        -> any RecorderHandler
    {
        let labels = dimensions.map { (name: $0.0, value: $0.1) }
        return aggregate
            ? registry.series(label, labels, .histogram) { PrometheusHistogram() }
            : registry.series(label, labels, .gauge) { PrometheusGauge() }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        registry.series(label, dimensions.map { ($0.0, $0.1) }, .histogram) {
            PrometheusHistogram()
        }
    }

    // Series live as long as the process: a scrape must not see a count go back.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}
