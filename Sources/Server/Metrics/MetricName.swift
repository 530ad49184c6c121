/// Every metric, its kind and its meaning: the one list of names, which `/metrics` prints as `# HELP`.
package enum MetricName: String, Sendable, CaseIterable {
    case httpRequests = "belfry_http_requests_total"
    case httpSeconds = "belfry_http_request_seconds"
    case streamSubscribers = "belfry_stream_subscribers"
    case streamDropped = "belfry_stream_dropped_total"
    case pushesAccepted = "belfry_pushes_accepted_total"
    case pushesRefused = "belfry_pushes_refused_total"
    case callbacks = "belfry_callbacks_total"
    case pending = "belfry_timeline_scheduled"
    case inFlight = "belfry_timeline_in_flight"
    case damaged = "belfry_timeline_damaged"
    case lostShards = "belfry_timeline_lost_shards"
    case inHand = "belfry_delivery_in_flight"
    case moving = "belfry_timeline_moving"
    case moved = "belfry_timeline_moved"
    case dueNow = "belfry_delivery_due_now"
    case oldestOverdue = "belfry_delivery_oldest_overdue_seconds"
    case lateness = "belfry_delivery_lateness_seconds"
    case oldestHeld = "belfry_delivery_oldest_held_seconds"
    case held = "belfry_delivery_held_seconds"
    case sentPerMinute = "belfry_delivery_sent_last_minute"
    case failuresPerHour = "belfry_delivery_failed_last_hour"
    case outcomes = "belfry_delivery_outcomes_total"
    case circuitsOpen = "belfry_delivery_circuits_open"
    case circuit = "belfry_delivery_circuit"
    case circuitOpenings = "belfry_delivery_circuit_openings_total"
    case overload = "belfry_overload"
    case overloads = "belfry_overloads_total"
    case deferred = "belfry_overload_deferred_total"
    case capacity = "belfry_delivery_capacity"
    case check = "belfry_check_ok"
    case uptime = "belfry_uptime_seconds"

    package var meaning: String {
        switch self {
        case .httpRequests: "Requests answered, by route, method and status class."
        case .httpSeconds: "Time to answer a request, by route."
        case .streamSubscribers: "Open event streams."
        case .streamDropped: "Events dropped because a reader was too slow."
        case .pushesAccepted: "Pushes accepted over HTTP."
        case .pushesRefused: "Pushes refused over HTTP."
        case .callbacks: "WeChat callbacks answered, by status class."
        case .pending: "Pushes waiting for their due time."
        case .inFlight: "Pushes that a worker holds."
        case .damaged: "Pushes set aside because the disk is damaged where they lie."
        case .lostShards:
            "Shards on Redis that were found empty though something lay there, since the server started."
        case .inHand: "Pushes that this server holds."
        case .moving: "Whether pushes are being moved to another timeline: 1 or 0."
        case .moved: "Pushes that this server has moved since the move's phase began."
        case .dueNow:
            "Pushes that are due and not yet settled, held ones of accounts at their rate or paused included."
        case .oldestOverdue:
            "How long ago the oldest push was to go out that has not, held ones included."
        case .lateness:
            "Of what was sent: time from when it was to go out until the try that succeeded, holds and retries included, recent, by quantile."
        case .oldestHeld:
            "How long ago the oldest push was to go out that is put back until later, by why."
        case .held: "How much of the lateness holds and retries took, recent, by quantile."
        case .sentPerMinute: "Messages sent in the last minute."
        case .failuresPerHour: "Pushes that failed in the last hour."
        case .outcomes: "Pushes that ended, by outcome."
        case .circuitsOpen:
            "Webhooks, brokers, streams and accounts' APIs that are out of order: nothing is sent there."
        case .circuit:
            "Whether nothing is sent to a webhook, broker, stream or account's API because it is out of order: 1 or 0; absent until it was."
        case .circuitOpenings: "How often that has begun."
        case .overload:
            "Whether pushes of a priority are deferred because capacity is short: 1 or 0."
        case .overloads: "How often capacity became short."
        case .deferred: "Messages sent late because they had been deferred."
        case .capacity:
            "Messages a second that went out when everything was busy; absent until it was."
        case .check: "Whether all is well, by what /readyz checks: 1 or 0."
        case .uptime: "Time since the server started."
        }
    }

    static let meanings = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0.rawValue, $0.meaning) }
    )
}
