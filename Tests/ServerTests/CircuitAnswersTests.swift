import BelfryCore
import BelfryRecords
import BelfryServer
import BelfrySimulation
import HTTPTypes
import Testing

@testable import BelfryDelivery

@Suite("What is said of what is out of order")
struct CircuitAnswersTests {
    private static let cause = SendCause(
        code: "not_connected",
        message: "no connection: Connection refused",
        remedy: "Start it."
    )

    private func circuits(_ now: Timestamp) -> [CircuitState] {
        [
            CircuitState(
                endpoint: Endpoint(channel: "rabbitmq"),
                openings: 3,
                open: .init(since: now - .minutes(2), cause: Self.cause, until: now + .seconds(9))
            ),
            CircuitState(endpoint: Endpoint(channel: "webhook", name: "shop"), openings: 1),
        ]
    }

    private func fixture() async throws -> ServerFixture {
        var fixture = try await ServerFixture()
        let now = fixture.clock.now()
        let circuits = circuits(now)
        fixture.dependencies.openCircuits = { account in account == "shop" ? [circuits[0]] : [] }
        fixture.dependencies.reading = {
            var reading = DeliveryReading()
            reading.circuits = circuits
            return reading
        }
        for key in ["shop", "other"] {
            try await fixture.dependencies.records.accounts.save(
                AccountRecord(key: key, kind: .webhook)
            )
        }
        return fixture
    }

    @Test("an account names what keeps its pushes, since when, until when, and why")
    func account() async throws {
        let fixture = try await fixture()
        let shop = try await fixture.admin(.get, "/v1/accounts/shop").json
        let open = try #require(shop["circuits"]?.array?.first)
        #expect(open["channel"] == "rabbitmq" && open["endpoint"] == "")
        #expect(open["since"]?.string == "2023-11-14T22:11:20.000Z")
        #expect(open["probe_after"]?.string == "2023-11-14T22:13:29.000Z")
        #expect(open["reason"]?["code"] == "not_connected")
        let other = try await fixture.admin(.get, "/v1/accounts/other").json
        #expect(other["circuits"]?.array?.isEmpty == true)
    }

    @Test("statistics and the overview name the open ones, metrics also those that have closed")
    func everywhere() async throws {
        let fixture = try await fixture()
        let stats = try await fixture.admin(.get, "/v1/stats").json
        #expect(stats["circuits"]?.array?.count == 1)
        let metrics = try await fixture.admin(.get, "/metrics").text
        #expect(metrics.contains("belfry_delivery_circuits_open 1"))
        #expect(
            metrics.contains(
                #"belfry_delivery_circuit{channel="rabbitmq",endpoint=""} 1"#
            )
        )
        #expect(
            metrics.contains(
                #"belfry_delivery_circuit{channel="webhook",endpoint="shop"} 0"#
            )
        )
        #expect(
            metrics.contains(
                #"belfry_delivery_circuit_openings_total{channel="rabbitmq",endpoint=""} 3"#
            )
        )
        let page = try await fixture.admin(.get, "/console?lang=en").text
        #expect(page.contains("Out of order, pushes wait: rabbitmq"))
    }
}
