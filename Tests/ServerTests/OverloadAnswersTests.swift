import BelfryCore
import BelfryServer
import BelfrySimulation
import Foundation
import HTTPTypes
import Testing

@testable import BelfryDelivery

@Suite("What is said while capacity is short")
struct OverloadAnswersTests {
    private let push =
        #"{"id":"p/1","account":"shop","to":"o","delay":"0s","channel":"log","priority":"low","payload":"x"}"#

    @Test("a push that is deferred says why and until when; one of a higher priority does not")
    func pushes() async throws {
        var fixture = try await ServerFixture()
        let now = fixture.clock.now()
        fixture.dependencies.overload = {
            Overload(from: .low, reason: .lag, since: now, longest: .minutes(15))
        }
        _ = try await fixture.admin(.post, "/v1/pushes", push)
        let high = push.replacing("p/1", with: "p/2").replacing("low", with: "high")
        _ = try await fixture.admin(.post, "/v1/pushes", high)
        fixture.clock.advance(by: .seconds(30))
        let found = try await fixture.admin(.get, "/v1/pushes/p%2F1").json
        #expect(found["deferred"]?["code"] == "overload")
        #expect(found["deferred"]?["message"]?.string?.contains("30s") == true)
        #expect(found["deferred"]?["until"] != nil)
        #expect(try await fixture.admin(.get, "/v1/pushes/p%2F2").json["deferred"] == nil)
        fixture.clock.advance(by: .minutes(15))
        #expect(try await fixture.admin(.get, "/v1/pushes/p%2F1").json["deferred"] == nil)
    }

    @Test("the server stays ready and says that low priorities wait, wherever it is asked")
    func readiness() async throws {
        var fixture = try await ServerFixture()
        #expect(try await fixture.send(.get, "/readyz").json["overload"] == false)
        let quiet = try await fixture.admin(.get, "/metrics").text
        #expect(quiet.contains(#"belfry_overload{priority="low"} 0"#))
        #expect(!quiet.contains("belfry_delivery_capacity "))
        let overload = Overload(
            from: .low,
            reason: .forecast,
            since: fixture.clock.now(),
            longest: .minutes(15)
        )
        fixture.dependencies.overload = { overload }
        fixture.dependencies.reading = {
            var reading = DeliveryReading()
            reading.overload = overload
            reading.overloads = 2
            reading.deferred = 7
            reading.capacity = 120
            return reading
        }
        let ready = try await fixture.send(.get, "/readyz")
        #expect(ready.status == 200)
        #expect(ready.json["overload"] == true)
        let metrics = try await fixture.admin(.get, "/metrics").text
        for line in [
            #"belfry_overload{priority="low"} 1"#, #"belfry_overload{priority="normal"} 0"#,
            "belfry_overloads_total 2", "belfry_overload_deferred_total 7",
            "belfry_delivery_capacity 120",
        ] { #expect(metrics.contains(line), "\(line)") }
        let stats = try await fixture.admin(.get, "/v1/stats").json
        #expect(stats["overload"]?["from"] == "low")
        #expect(stats["overload"]?["reason"] == "forecast")
    }

    @Test("what is deferred, and how long, can be set while the server runs")
    func live() throws {
        let settings = try LiveSettings([
            "overload.defer": "normal", "overload.lag-goal": "2s",
            "overload.deferral-max": "1h", "account.shop.weight": "5",
        ])
        #expect(settings.overloadDefer == .normal)
        #expect(settings.overloadLagGoal == .seconds(2))
        #expect(settings.overloadDeferralMax == .hours(1))
        #expect(settings.accounts["shop"]?.weight == 5)
        for (key, value, words) in [
            ("overload.defer", "high", "off, low or normal"),
            ("overload.lag-goal", "1ms", "10ms to 10m"),
            ("overload.deferral-max", "2d", "1s to 1d"), ("account.shop.weight", "0", "1 to 100"),
        ] {
            let problem = #expect(throws: LiveProblem.self) { try LiveSettings([key: value]) }
            #expect(problem?.text.contains(words) == true, "\(problem?.text ?? "")")
        }
    }
}
