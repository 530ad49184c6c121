import BelfryCore
import BelfryDelivery
import Hummingbird

/// The numbers of the overview: stats, and the load ahead.
extension API {
    var overview: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/stats",
                access: .scope(.read),
                operation: Operation(
                    id: "getStats",
                    summary: "Due now, lateness, sent, failed: what delivery is doing.",
                    tag: "stats",
                    answer: "Stats"
                )
            ) { call in .json(try await stats()) },
            Route(
                method: .get,
                path: "/v1/forecast",
                access: .scope(.read),
                operation: Operation(
                    id: "getForecast",
                    summary: "How many pushes are due in each bucket of the time ahead.",
                    tag: "stats",
                    query: [
                        .init("from", "time", "Start; now unless given."),
                        .init("to", "time", "End; 48 hours after the start unless given."),
                        .init("bucket", "duration", "Width of a bucket; 30m unless given."),
                    ],
                    answer: "Forecast"
                )
            ) { call in try await forecast(call) },
        ]
    }

    func stats() async throws -> JSONValue {
        let counts = try await server.timeline.counts()
        let reading = await server.reading()
        func span(_ duration: Duration?) -> JSONValue {
            duration.map { .integer($0.milliseconds) } ?? .null
        }
        let outcomes = reading.outcomes.sorted { $0.key.rawValue < $1.key.rawValue }.map {
            JSONValue.Member($0.key.rawValue, .string(String($0.value)))
        }
        return [
            "at": .time(server.clock.now()),
            "scheduled": .count(counts.scheduled),
            "in_flight": .count(counts.inFlight),
            "damaged": .count(counts.damaged),
            "due_now": .count(reading.dueNow),
            "lateness_ms": [
                "p50": span(reading.latenessP50), "p95": span(reading.latenessP95),
                "p99": span(reading.latenessP99),
            ],
            "held_ms": [
                "p50": span(reading.heldP50), "p95": span(reading.heldP95),
                "p99": span(reading.heldP99),
            ],
            "oldest_overdue_ms": span(reading.oldestOverdue),
            "oldest_held_ms": .object(
                reading.oldestHeld.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                    JSONValue.Member($0.key.rawValue, .integer($0.value.milliseconds))
                }
            ),
            "sent_last_minute": .count(reading.sentLastMinute),
            "send_limit_per_minute": reading.sendLimitPerMinute.map { .count($0) } ?? .null,
            "failed_last_hour": .count(reading.failedLastHour),
            "outcomes": .object(outcomes),
            "overload": reading.overload.map { overload -> JSONValue in
                [
                    "from": .string(overload.from.name),
                    "reason": .string(overload.reason.rawValue),
                    "since": .time(overload.since),
                    "deferral_max": .string(DurationText.inOneUnit(overload.longest)),
                ]
            } ?? .null,
            "circuits": CircuitFields.json(reading.circuits),
        ]
    }

    private func forecast(_ call: Call) async throws -> Response {
        let from = try call.queryTime("from") ?? server.clock.now()
        let to = try call.queryTime("to") ?? from + .hours(48)
        let bucket = try call.queryDuration("bucket", default: .minutes(30))
        guard to > from, to - from <= PushLimits.horizon else {
            throw Problem.invalid("?to", "must be after 'from', and at most 20 years after it")
        }
        guard bucket >= .seconds(1), (to - from).milliseconds / bucket.milliseconds < 10_000 else {
            throw Problem.invalid("?bucket", "must be at least 1s, and give at most 10000 buckets")
        }
        let loads = try await server.timeline.forecast(from: from, to: to, bucket: bucket)
        return .json([
            "from": .time(from), "to": .time(to), "bucket": .string(DurationText.inOneUnit(bucket)),
            "counts": .array(loads.map { .count($0) }),
        ])
    }
}
