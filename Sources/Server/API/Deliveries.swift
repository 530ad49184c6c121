import BelfryCore
import BelfryRecords
import Hummingbird

/// What became of pushes, and why.
extension API {
    var deliveries: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/deliveries",
                access: .scope(.read),
                operation: Operation(
                    id: "listDeliveries",
                    summary: "What became of pushes and why, newest first.",
                    tag: "deliveries",
                    query: [
                        .init("account", "string", "Of this account."),
                        .init("to", "string", "To this person; needs account."),
                        .init("flow", "string", "Of this flow."),
                        .init("push", "string", "Of this push."),
                        .init("state", "state", "In this state."),
                        .init("since", "time", "From this time on."),
                        .init("until", "time", "Before this time."),
                    ] + Self.paging,
                    answer: "DeliveryPage"
                )
            ) { call in try await listDeliveries(call) }
        ]
    }

    static let paging: [Operation.Parameter] = [
        .init("limit", "integer", "1 to 1000; 100 unless given."),
        .init("cursor", "string", "next_cursor of the page before."),
    ]

    private func listDeliveries(_ call: Call) async throws -> Response {
        let query = try deliveryQuery(call)
        let page = try await server.records.deliveries.find(
            query,
            limit: try call.query("limit", in: 1...1000, default: 100),
            cursor: call.query("cursor")
        )
        return .json(DeliveryFields.page(page, DeliveryFields.json))
    }

    func deliveryQuery(_ call: Call) throws(Problem) -> DeliveryQuery {
        var query = DeliveryQuery()
        query.account = call.query("account")
        query.person = call.query("to")
        query.flow = call.query("flow")
        query.push = call.query("push").map { PushID($0) }
        query.from = try call.queryTime("since")
        query.to = try call.queryTime("until")
        if let word = call.query("state") {
            guard let state = DeliveryState(word) else {
                let words =
                    Outcome.allCases.map(\.rawValue) + WaitingState.allCases.map(\.rawValue)
                throw .invalid("?state", "must be one of \(words.joined(separator: ", "))")
            }
            query.state = state
        }
        return query
    }
}
