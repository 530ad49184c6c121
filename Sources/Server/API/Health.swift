import BelfryCore
import BelfryDelivery
import BelfryRecords
import Hummingbird

/// Health checks and metrics, for those who run the server.
extension API {
    var health: [Route] {
        [
            Route(
                method: .get,
                path: "/healthz",
                access: .anyone,
                operation: Operation(
                    id: "getHealth",
                    summary: "Whether the process answers.",
                    tag: "health",
                    answer: "Health"
                )
            ) { _ in .json(["status": "ok"]) },
            Route(
                method: .get,
                path: "/readyz",
                access: .anyone,
                operation: Operation(
                    id: "getReadiness",
                    summary:
                        "Whether timeline, records and disk can be used; 503 says which cannot. What is not vital, such as a broker, is told and makes no 503.",
                    tag: "health",
                    answer: "Readiness"
                )
            ) { call in await readiness(call) },
            Route(
                method: .get,
                path: "/metrics",
                access: .scope(.read),
                operation: Operation(
                    id: "getMetrics",
                    summary: "Metrics in Prometheus' text format.",
                    tag: "health",
                    answer: "Text",
                    answerType: "text/plain"
                )
            ) { call in try await metrics(call) },
        ]
    }

    /// The names alone: causes are for those with a key.
    private func readiness(_ call: Call) async -> Response {
        let checks = await checks()
        let isReady = checks.allSatisfy { $0.problem == nil || !$0.isVital }
        let list = checks.map { check -> JSONValue in
            [
                "name": .string(check.name), "ok": .bool(check.problem == nil),
                "vital": .bool(check.isVital),
            ]
        }
        return .json(
            [
                "status": isReady ? "ready" : "not_ready", "checks": .array(list),
                "overload": .bool(server.overload() != nil),
                "moving": .bool(server.moves.map { $0.arrangement.phase != .single } ?? false),
            ],
            status: isReady ? .ok : .serviceUnavailable
        )
    }

    /// What is asked over a network has to answer within this: a probe waits no longer.
    private static let patience = Duration.milliseconds(1500)

    private func checks() async -> [Check] {
        async let others = server.checks()
        async let timeline = check("timeline") { [server] in
            _ = try await server.timeline.nextDue()
        }
        async let records = check("records-reading") { [server] in
            try await server.records.look()
        }
        return await others + [timeline, records]
    }

    private func check(_ name: String, _ look: @escaping @Sendable () async throws -> Void) async
        -> Check
    {
        do {
            try await within(Self.patience, server.clock, look)
            return Check(name)
        } catch { return Check(name, problem: "\(error)") }
    }

    private func metrics(_ call: Call) async throws -> Response {
        // A timeline that does not answer is told by its check; the rest is told all the same.
        async let counted = try? within(Self.patience, server.clock) { [server] in
            try await server.timeline.counts()
        }
        async let looked = checks()
        let (reading, counts, checks) = await (server.reading(), counted, looked)
        instruments.gauge(.inHand, Double(reading.inFlight))
        if let counts {
            instruments.gauge(.pending, Double(counts.scheduled))
            instruments.gauge(.inFlight, Double(counts.inFlight))
            instruments.gauge(.damaged, Double(counts.damaged))
        }
        instruments.gauge(.lostShards, Double(server.lostShards()))
        instruments.gauge(.dueNow, Double(reading.dueNow))
        instruments.gauge(.oldestOverdue, (reading.oldestOverdue ?? .zero).seconds)
        for state in WaitingState.allCases where state.isHold {
            let oldest = reading.oldestHeld[state] ?? .zero
            instruments.gauge(.oldestHeld, oldest.seconds, [("state", state.rawValue)])
        }
        let quantiles = [
            ("0.5", reading.latenessP50, reading.heldP50),
            ("0.95", reading.latenessP95, reading.heldP95),
            ("0.99", reading.latenessP99, reading.heldP99),
        ]
        for (quantile, lateness, held) in quantiles {
            let labels = [("quantile", quantile)]
            if let lateness { instruments.gauge(.lateness, lateness.seconds, labels) }
            if let held { instruments.gauge(.held, held.seconds, labels) }
        }
        instruments.gauge(.sentPerMinute, Double(reading.sentLastMinute))
        instruments.gauge(.failuresPerHour, Double(reading.failedLastHour))
        for (outcome, count) in reading.outcomes {
            instruments.gauge(.outcomes, Double(count), [("outcome", outcome.rawValue)])
        }
        if let moves = server.moves {
            instruments.gauge(.moving, moves.arrangement.phase == .single ? 0 : 1)
            instruments.gauge(.moved, Double(moves.progress.moved))
        }
        for check in checks {
            instruments.gauge(.check, check.problem == nil ? 1 : 0, [("check", check.name)])
        }
        for priority in Priority.allCases {
            let isDeferred = reading.overload?.defers(priority) ?? false
            instruments.gauge(.overload, isDeferred ? 1 : 0, [("priority", priority.name)])
        }
        let open = reading.circuits.count { $0.open != nil }
        instruments.gauge(.circuitsOpen, Double(open))
        for circuit in reading.circuits {
            let labels = [
                ("channel", circuit.endpoint.channel), ("endpoint", circuit.endpoint.name),
            ]
            instruments.gauge(.circuit, circuit.open == nil ? 0 : 1, labels)
            instruments.gauge(.circuitOpenings, Double(circuit.openings), labels)
        }
        instruments.gauge(.overloads, Double(reading.overloads))
        instruments.gauge(.deferred, Double(reading.deferred))
        if let capacity = reading.capacity { instruments.gauge(.capacity, capacity) }
        instruments.gauge(.uptime, (server.clock.now() - server.began).seconds)
        instruments.gauge(.streamSubscribers, Double(server.feed.listeners))
        return .bytes(
            Array(server.registry.exposition().utf8),
            type: "text/plain; version=0.0.4; charset=utf-8"
        )
    }
}

extension Duration {
    var seconds: Double { Double(milliseconds) / 1000 }
}
