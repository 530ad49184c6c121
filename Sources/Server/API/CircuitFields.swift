import BelfryCore
import BelfryDelivery

/// What is out of order, as the API speaks of it.
enum CircuitFields {
    /// - Returns: those that are open.
    static func json(_ circuits: [CircuitState]) -> JSONValue {
        .array(
            circuits.compactMap { circuit in
                circuit.open.map { open -> JSONValue in
                    [
                        "channel": .string(circuit.endpoint.channel),
                        "endpoint": .string(circuit.endpoint.name),
                        "since": .time(open.since),
                        "probe_after": .time(open.until),
                        "reason": [
                            "code": .string(open.cause.code),
                            "message": .string(open.cause.message),
                            "remedy": .string(open.cause.remedy),
                        ],
                    ]
                }
            }
        )
    }
}
