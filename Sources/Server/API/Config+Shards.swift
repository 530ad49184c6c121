import BelfryCore

/// The one setting whose change moves pushes.
extension API {
    static let shardsKey = "timeline.shards"

    /// - Parameter value: `nil`: it is cleared.
    /// - Throws: `Problem` where the pushes are not on Redis, or are being moved and the value would be another one.
    func checkShards(_ value: String?) async throws {
        guard let moves = server.moves else { return }
        let field = "/values/\(Self.shardsKey)"
        try await moves.follow()
        try await server.live.refresh()
        guard value == nil || moves.arrangement.end.kind == .redis else {
            throw Problem.invalid(
                field,
                "only a timeline on Redis has shards, and the pushes are elsewhere"
            )
        }
        guard value != server.live.revision.values[Self.shardsKey] else { return }
        try requireNoMove(moves, field)
    }

    private func requireNoMove(_ moves: TimelineMoves, _ field: String) throws(Problem) {
        guard moves.arrangement.phase != .single else { return }
        throw Problem.invalid(
            field,
            "a move is under way, to \(moves.arrangement.end.words): wait for its end, or cancel it (belfry migrate cancel)"
        )
    }

    /// What a rollback sets besides what the earlier revision says: the shards that there were then, where they were first set later.
    ///
    /// - Throws: `Problem` where pushes are being moved and it would be another number, or where the number is not known any more.
    func shardsRolledBack(to number: Int) async throws -> [String: String] {
        let key = Self.shardsKey
        guard let moves = server.moves, let then = try await server.live.revision(number) else {
            return [:]
        }
        try await moves.follow()
        try await server.live.refresh()
        let now = server.live.revision.values[key]
        guard now != then.values[key] else { return [:] }
        try requireNoMove(moves, "/to")
        guard then.values[key] == nil, moves.arrangement.from.kind == .redis else { return [:] }
        guard let place = try await moves.place(at: then.at) else {
            throw Problem.invalid(
                "/to",
                "how many shards there were at revision \(number) is not known any more: set timeline.shards as you want it, then everything else"
            )
        }
        // Elsewhere there were none: they stay as they are.
        return place.kind == .redis ? [key: String(place.shards)] : [:]
    }
}
