import BelfryCore
import BelfryRecords
import HTTPTypes
import Hummingbird

/// Moving all pending pushes to another place, while they are scheduled and sent.
extension API {
    var moves: [Route] {
        [
            Route(
                method: .get,
                path: "/v1/timeline",
                access: .scope(.admin),
                operation: Operation(
                    id: "getTimeline",
                    summary: "Where pending pushes are, and how far a move is.",
                    tag: "config",
                    answer: "TimelineState"
                )
            ) { _ in .json(Self.json(try await moving().status())) },
            Route(
                method: .post,
                path: "/v1/timeline:move",
                access: .scope(.admin),
                operation: Operation(
                    id: "moveTimeline",
                    summary:
                        "Begins to move all pending pushes to another Redis, PostgreSQL, number of shards, or into the data folder.",
                    tag: "config",
                    body: .init("TimelineMove"),
                    answer: "TimelineState",
                    status: 202
                )
            ) { call in try await move(call) },
            Route(
                method: .post,
                path: "/v1/timeline:cancel",
                access: .scope(.admin),
                operation: Operation(
                    id: "cancelTimelineMove",
                    summary: "Lets a move go back to where it began.",
                    tag: "config",
                    answer: "TimelineState",
                    status: 202
                )
            ) { call in
                try await change(call, "timeline.cancel") { try await moving().cancel(by: $0) }
            },
        ]
    }

    private func moving() throws(Problem) -> TimelineMoves {
        guard let moves = server.moves else {
            throw Problem(.unavailable, "This server has no timeline that could be moved.")
        }
        return moves
    }

    private func move(_ call: Call) async throws -> Response {
        var fields = try await call.fields()
        let url = fields.optionalText("to", 0...4096)
        let shards = fields.integer("shards", 1...16_384)
        try fields.finish()
        guard url != nil || shards != nil else {
            throw Problem.invalid(
                "/to",
                "is needed: an address, an empty one for the data folder; or shards"
            )
        }
        return try await change(call, "timeline.move") { who in
            try await moving().start(to: url, shards: shards, by: who)
        }
    }

    private func change(
        _ call: Call,
        _ action: String,
        _ work: (_ who: String) async throws -> Arrangement
    ) async throws -> Response {
        let before = try moving().arrangement
        let after: Arrangement
        do { after = try await work(call.principal.name) } catch let refusal as MoveRefusal {
            guard refusal.field != "phase" else { throw Problem(.conflict, refusal.description) }
            throw Problem.invalid("/\(refusal.field)", refusal.description)
        } catch let failure as StartFailure {
            throw Problem.invalid("/to", failure.description)
        } catch let error as TimelineError where error.code == .invalid || error.code == .io {
            throw Problem.invalid("/to", "cannot be used: \(error.message)")
        }
        try await audit(
            call,
            action,
            "timeline",
            before: .string(before.end.words),
            after: .string(after.end.words)
        )
        return .json(Self.json(try await moving().status()), status: .accepted)
    }

    private static func json(_ status: MoveStatus) -> JSONValue {
        let now = status.arrangement
        let nodes = status.nodes.map { node -> JSONValue in
            [
                "node": .string(node.name), "epoch": .count(node.epoch),
                "alive": .bool(node.isAlive), "leads": .bool(node.leads),
            ]
        }
        return [
            "phase": .string(now.phase.rawValue), "epoch": .count(now.epoch),
            "back": .bool(now.goesBack),
            "from": json(now.from), "to": now.to.map { json($0) } ?? .null,
            "left": .count(status.left.scheduled + status.left.inFlight),
            "left_in_flight": .count(status.left.inFlight),
            "arrived": status.arrived.map { .count($0.scheduled + $0.inFlight) } ?? .null,
            "moved": .count(status.moved),
            "problem": .text(status.problem),
            "nodes": .array(nodes),
        ]
    }

    private static func json(_ place: TimelinePlace) -> JSONValue {
        [
            "kind": .string(place.kind.rawValue), "url": .string(place.shown),
            "prefix": .string(place.prefix), "shards": .count(place.shards),
        ]
    }
}
