import BelfryCore
import BelfryRedisClient

/// A server that has started again, or has become the primary, has a shard as the last change left it that it knows of. Its shards are closed to all calls until
/// somebody has adopted them: what this process knows to have been done beyond that is done again first.
extension RedisTimeline {
    /// Adopts shards, and all others that lie on the same servers.
    ///
    /// - Parameter seen: how often each shard had been adopted when a call was refused: what others of this process have done since is not repeated.
    func adopt(_ shards: Set<Int>, since seen: [Int]) async throws(TimelineError) {
        let result = await adoptions.run { [self] () -> Result<[DirectoryEntry], TimelineError> in
            let adopted = book.adoptions
            let open = shards.filter { adopted[$0] == seen[$0] }
            guard !open.isEmpty else { return .success([]) }
            do throws(TimelineError) { return .success(try await adoptNow(open)) } catch {
                return .failure(error)
            }
        }
        // Only a help to find things: without it, every shard is asked.
        let entries = try result.get()
        try await directory(.move, entries.filter { !$0.isEnd }.map { ($0.digest, $0.shard) })
        try await forget(entries.filter(\.isEnd).map { ($0.digest, $0.shard) })
    }

    /// What the directory of a server may not have.
    struct DirectoryEntry: Sendable {
        var digest: PushDigest
        var shard: Int
        var isEnd: Bool
    }

    /// What a server says of a shard that it takes over.
    private struct Adopted {
        /// The changes that are left out.
        var holes: [ClosedRange<Int>]
        /// The change with which the server begins.
        var floor: Int
        /// Of what lies there.
        var name: String
    }

    private func adoptNow(_ shards: Set<Int>) async throws(TimelineError) -> [DirectoryEntry] {
        let all = await beside(shards)
        let newest = try await intents?.newest() ?? [:]
        let begun = try await adopt(all, "begin", newest)
        try await hear(Dictionary(uniqueKeysWithValues: zip(all, begun.map(\.name))))
        let holes = Dictionary(uniqueKeysWithValues: zip(all, begun.map(\.holes)))
        let count = configuration.shards
        let intents = try await intents?.read { intent in
            // What was kept for keys with more shards is not for these.
            guard intent.shard < count else { return false }
            return holes[intent.shard]?.contains { $0.contains(intent.change) } ?? false
                || ([intent.digest] + intent.successors).contains {
                    holes[$0.directory(among: count)] != nil
                }
        }
        let lost = (intents ?? []).filter { intent in
            holes[intent.shard]?.contains { $0.contains(intent.change) } ?? false
        }
        try await redo(lost)
        let opened = try await adopt(all, "open", newest)
        for (shard, answer) in zip(all, opened) { book.didAdopt(shard, floor: answer.floor) }
        return Self.entries(intents ?? [])
    }

    /// All shards that lie where these lie: a server that is new to one of its shards is new to all.
    private func beside(_ shards: Set<Int>) async -> [Int] {
        let homes = await servers.homes(of: (0..<configuration.shards).map { tag($0) })
        let wanted = Set(shards.map { homes[$0] })
        return homes.indices.filter { shards.contains($0) || wanted.contains(homes[$0]) }
    }

    /// - Parameter newest: of each shard the last change that is kept.
    private func adopt(_ shards: [Int], _ act: String, _ newest: [Int: Int])
        async throws(TimelineError) -> [Adopted]
    {
        let answers = await askOnce(
            shards.map { shard in
                var call = call(scripts.adopt, shard)
                call.append(act)
                call.append(Int64(newest[shard] ?? 0))
                call.append(book.name(shard) ?? "")
                call.append(Self.newName())
                return (shard, call)
            }
        )
        var adopted: [Adopted] = []
        for answer in answers {
            let answer = try heard(answer)
            guard let parts = answer.reply.elements, parts.count == 2, let name = parts[1].string
            else { throw TimelineError(.corrupt, "a script gave no bounds") }
            let bounds = try codes(parts[0]).compactMap { $0 }
            let holes = stride(from: 0, to: bounds.count - 1, by: 2).map {
                bounds[$0] + 1...max(bounds[$0] + 1, bounds[$0 + 1])
            }
            adopted.append(Adopted(holes: holes, floor: answer.floor, name: name))
        }
        return adopted
    }

    /// Does changes again, those of a shard in their order: a script with some of each shard at a time. They are still kept, so that no replica needs to confirm them.
    private func redo(_ intents: [Intent]) async throws(TimelineError) {
        var rest = Dictionary(grouping: intents, by: \.shard).mapValues {
            $0.sorted { $0.change < $1.change }[...]
        }
        var done = 0
        while !rest.isEmpty {
            let answers = await askOnce(
                rest.map { shard, intents in
                    var call = call(scripts.redo, shard)
                    for intent in intents.prefix(64) { call.append(intent.bytes) }
                    return (shard, call)
                }
            )
            for answer in answers { done += try heard(answer).reply.number ?? 0 }
            rest = rest.mapValues { $0.dropFirst(64) }.filter { !$0.value.isEmpty }
        }
        if done > 0 {
            configuration.told("\(done) changes that a fail-over had lost were made again")
        }
    }

    /// What the last change of each id means for the directory.
    private static func entries(_ intents: [Intent]) -> [DirectoryEntry] {
        var entries: [PushDigest: DirectoryEntry] = [:]
        for intent in intents {
            let shard = intent.shard
            if intent.isEnd
                || intent.kind == .put && intent.outcome != ScheduleOutcome.merged.rawValue
            {
                entries[intent.digest] = DirectoryEntry(
                    digest: intent.digest,
                    shard: shard,
                    isEnd: intent.isEnd
                )
            }
            for digest in intent.successors {
                entries[digest] = DirectoryEntry(digest: digest, shard: shard, isEnd: false)
            }
        }
        return Array(entries.values)
    }
}

/// Lets one after the other do something, in the order in which they came.
actor Turns {
    private var last: Task<Void, Never>?

    func run<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        let before = last
        let turn = Task {
            await before?.value
            return await body()
        }
        last = Task { _ = await turn.value }
        return await turn.value
    }
}
