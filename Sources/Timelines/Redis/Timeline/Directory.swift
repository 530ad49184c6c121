import BelfryCore
import BelfryRedisClient

/// Which shard holds an id.
///
/// An id stays in the shard where it was first put for as long as it is pending, so that a newer version finds the old one even where its
/// recipient is another. An entry is made before a push is put and removed after it has ended: one too many only sends somebody to a shard where nothing
/// is; one too few, left by a crash between the two, is made good by asking every shard.
extension RedisTimeline {
    enum DirectoryAct: String {
        /// Names the shard where none is named.
        case claim
        /// Names the shard, whatever was named.
        case move
        /// Only asks.
        case ask
    }

    /// - Returns: for each id the shard that the directory names, `nil` where it names none.
    @discardableResult
    func directory(_ act: DirectoryAct, _ ids: [(digest: PushDigest, shard: Int)])
        async throws(TimelineError) -> [Int?]
    {
        let shards = configuration.shards
        // One shard needs no directory.
        guard shards > 1 else { return Array(repeating: 0, count: ids.count) }
        var homes = [Int?](repeating: nil, count: ids.count)
        let groups = grouped(
            ids.indices,
            by: { ids[$0].digest.directory(among: shards) },
            limit: 256
        )
        let answers = await ask(
            groups.map { group in
                var call = call(scripts.home, group.shard)
                call.append(act.rawValue)
                for index in group.items {
                    call.append(ids[index].digest.bytes)
                    call.append(Int64(ids[index].shard))
                }
                return (group.shard, call)
            }
        )
        for (group, answer) in zip(groups, answers) {
            for (index, home) in zip(group.items, try codes(try answer.get().reply)) {
                homes[index] = home
            }
        }
        return homes
    }

    /// Removes entries that name these shards.
    func forget(_ ids: [(digest: PushDigest, shard: Int)]) async throws(TimelineError) {
        let shards = configuration.shards
        guard shards > 1, !ids.isEmpty else { return }
        let groups = grouped(
            ids.indices,
            by: { ids[$0].digest.directory(among: shards) },
            limit: 512
        )
        let answers = await ask(
            groups.map { group in
                var call = call(scripts.forget, group.shard)
                for index in group.items {
                    call.append(ids[index].digest.bytes)
                    call.append(Int64(ids[index].shard))
                }
                return (group.shard, call)
            }
        )
        for answer in answers { _ = try answer.get() }
    }

    /// Sorts items by shard, in order, at most `limit` in one group: a script must not keep its server from others for long.
    func grouped(
        _ items: some Sequence<Int>,
        by shard: (Int) -> Int,
        limit: Int
    ) -> [(shard: Int, items: [Int])] {
        var groups: [(shard: Int, items: [Int])] = []
        var open = [Int?](repeating: nil, count: configuration.shards)
        for item in items {
            let shard = shard(item)
            if let group = open[shard], groups[group].items.count < limit {
                groups[group].items.append(item)
            } else {
                open[shard] = groups.count
                groups.append((shard, [item]))
            }
        }
        return groups
    }
}
