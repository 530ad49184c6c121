import BelfryCore
import HTTPTypes
import Metrics
import Testing

@testable import BelfryServer

@Suite("Metrics")
struct MetricsTests {
    @Test("are written in Prometheus' text format")
    func format() {
        let registry = PrometheusRegistry()
        let factory = PrometheusFactory(registry: registry)
        Counter(
            label: "belfry_http_requests_total",
            dimensions: [("route", "/a"), ("method", "G\"E\\T\n")],
            factory: factory
        ).increment(by: 3)
        Gauge(label: "odd.name-1", factory: factory).record(2.5)
        Timer(label: "t_seconds", factory: factory).recordMilliseconds(30)
        let lines = registry.exposition().split(separator: "\n").map(String.init)
        #expect(lines.contains("# TYPE belfry_http_requests_total counter"))
        #expect(lines.contains { $0.hasPrefix("# HELP belfry_http_requests_total ") })
        #expect(
            lines.contains(
                #"belfry_http_requests_total{method="G\"E\\T\n",route="/a"} 3"#
            )
        )
        #expect(lines.contains("odd_name_1 2.5"))
        #expect(lines.contains(#"t_seconds_bucket{le="0.025"} 0"#))
        #expect(lines.contains(#"t_seconds_bucket{le="0.05"} 1"#))
        #expect(lines.contains(#"t_seconds_bucket{le="+Inf"} 1"#))
        #expect(lines.contains("t_seconds_count 1"))
        for line in lines where !line.hasPrefix("#") {
            #expect(line.wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? [-+0-9.eInfNa]+/) != nil)
        }
    }

    @Test("stay bounded however many labels come in")
    func bounded() {
        let registry = PrometheusRegistry()
        let factory = PrometheusFactory(registry: registry)
        for index in 0..<5000 {
            Counter(label: "c", dimensions: [("id", "\(index)")], factory: factory).increment()
        }
        let lines = registry.exposition().split(separator: "\n").filter { $0.hasPrefix("c{") }
        #expect(lines.count == PrometheusRegistry.seriesMax + 1)
        #expect(lines.contains(#"c{id="other"} 4500"#))
    }

    @Test("come over HTTP, with a counter for each route but none for each path")
    func overHTTP() async throws {
        let fixture = try await ServerFixture()
        for id in ["a", "b", "c"] { _ = try await fixture.admin(.get, "/v1/pushes/\(id)") }
        let answer = try await fixture.admin(.get, "/metrics")
        #expect(answer.headers[.contentType]?.hasPrefix("text/plain; version=0.0.4") == true)
        #expect(answer.text.contains("belfry_delivery_due_now 3"))
        #expect(answer.text.contains("belfry_delivery_in_flight 2"))
        #expect(answer.text.contains("belfry_uptime_seconds "))
        #expect(answer.text.contains(#"belfry_check_ok{check="timeline"} 1"#))
        #expect(
            answer.text.contains(
                #"belfry_http_requests_total{method="GET",route="/v1/pushes/{id}",status="4xx"} 3"#
            )
        )
        #expect(answer.text.contains(#"belfry_delivery_lateness_seconds{quantile="0.99"} 0.004"#))
    }
}
