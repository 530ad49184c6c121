import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// Where the records lie, and their move to another place.
extension API {
    var recordsRoutes: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/records",
                access: .scope(.admin),
                operation: Operation(
                    id: "getRecordsPlace",
                    summary:
                        "Where accounts, people and history lie, and how a move of them stands.",
                    tag: "config",
                    answer: "RecordsPlace"
                )
            ) { _ in .json(try place()) },
            Route(
                method: .post,
                path: "/v1/records:move",
                access: .scope(.admin),
                operation: Operation(
                    id: "moveRecords",
                    summary:
                        "Begins to move accounts, people and history to another place while the server goes on.",
                    tag: "config",
                    body: .init("RecordsMove"),
                    answer: "RecordsPlace",
                    status: 202
                )
            ) { call in try await moveRecords(call) },
        ]
    }

    private func moveRecords(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let target = fields.text("to", 1...TextLimits.url)
        try fields.finish()
        let mover = try mover()
        let before = mover.status.place
        try mover.begin(to: target)
        // Without a password.
        try await audit(
            call,
            "records.move",
            "records",
            before: .string(before),
            after: .text(mover.status.target)
        )
        return .json(try place(), status: .accepted)
    }

    private func mover() throws(Problem) -> RecordsMover {
        guard let mover = server.mover else {
            throw Problem(.unavailable, "This server keeps nothing that could be moved.")
        }
        return mover
    }

    private func place() throws(Problem) -> JSONValue {
        let status = try mover().status
        let rows = (status.report?.rows ?? [:]).sorted { $0.key < $1.key }
        return [
            "place": .string(status.place), "move": .string(status.phase.rawValue),
            "to": .text(status.target), "step": .text(status.step?.name),
            "rows": .object(rows.map { .init($0.key, .count($0.value)) }),
            "changes": status.report.map { .count($0.changes) } ?? .null,
            "held_ms": status.report.map { .integer($0.held.milliseconds) } ?? .null,
            "error": .text(status.error),
        ]
    }
}

extension RecordsMove.Step {
    /// As the API says it.
    var name: String {
        switch self {
        case .caughtUp: "caught_up"
        default: rawValue
        }
    }
}
