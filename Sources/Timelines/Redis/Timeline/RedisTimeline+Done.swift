import BelfryCore
import BelfryRedisClient

/// The way of most pushes: claimed here, done, and nothing follows. Their shards are told where everything of them lies, a batch at a time, and need not look.
extension RedisTimeline {
    /// What is done of one batch, in the order in which it was lent.
    struct DoneBatch {
        var generation: Generation
        var items: [(index: Int, held: HeldPushes.Held)]
    }

    /// Divides settlements into those that end by their batch and those that do by their ids.
    func divide(_ indices: [Int], of settlements: [Settlement], _ words: [[[UInt8]]])
        -> (plain: [DoneBatch], others: [Int])
    {
        let known = held.give(indices.lazy.map { settlements[$0].token })
        // What follows from one may be what another is about.
        let followers = Set(indices.lazy.flatMap { settlements[$0].successors.lazy.map(\.id) })
        var batches: [UInt64: DoneBatch] = [:]
        var others: [Int] = []
        for (index, held) in zip(indices, known) {
            let settlement = settlements[index]
            guard let held, settlement.result.isEnd, settlement.successors.isEmpty,
                !followers.contains(settlement.token.id)
            else {
                others.append(index)
                continue
            }
            let name = settlement.token.generation
            batches[name, default: DoneBatch(generation: Generation(name), items: [])].items
                .append((index, held))
        }
        for name in batches.keys { batches[name]?.items.sort { $0.held.place < $1.held.place } }
        return (batches.values.sorted { $0.generation.value < $1.generation.value }, others)
    }

    /// Ends what is done. What is not as it was lent is noted in `sum.left`.
    func end(_ batches: [DoneBatch], _ words: [[[UInt8]]], _ sum: inout SettleSum) async {
        let groups = grouped(batches.indices, by: { batches[$0].generation.shard }, limit: 4)
        let answers = await ask(
            groups.map { group in
                var call = call(scripts.done, group.shard, isPromise: true)
                for number in group.items { call.append(batches[number], words) }
                return (group.shard, call)
            }
        )
        for (group, answer) in zip(groups, answers) {
            do throws(TimelineError) {
                let answer = try answer.get()
                var place = 0
                for (number, code) in zip(group.items, try codes(answer.reply)) {
                    let indices = batches[number].items.map(\.index)
                    guard code == 1 else {
                        sum.left += indices
                        continue
                    }
                    for index in indices {
                        sum.outcomes[index] = .settled
                        if intents != nil {
                            sum.changes.append(change(answer, place, words[index], group.shard))
                        }
                        place += 1
                    }
                }
            } catch {
                sum.failure = error
            }
        }
    }

    private func change(_ answer: ShardAnswer, _ place: Int, _ words: [[UInt8]], _ shard: Int)
        -> Intent
    {
        Intent(
            .settle,
            shard: shard,
            answer,
            place: place,
            sequence: answer.sequence,
            outcome: SettleOutcome.settled.rawValue,
            Self.kept(words, withSuccessors: false)
        )
    }
}

extension ScriptCall {
    /// A batch as `done.lua` takes it.
    ///
    /// - Parameter words: of each settlement, as `settle.lua` takes it: the digest first.
    fileprivate mutating func append(_ batch: RedisTimeline.DoneBatch, _ words: [[[UInt8]]]) {
        var sequences: [UInt8] = []
        var digests: [UInt8] = []
        var pages: [(page: Int, fields: [Int])] = []
        var places: [Int: Int] = [:]
        var accounts: [String: Int] = [:]
        for item in batch.items {
            let sequence = item.held.sequence
            for shift in stride(from: 40, through: 0, by: -8) {
                sequences.append(UInt8(truncatingIfNeeded: sequence >> shift))
            }
            digests += words[item.index][0].prefix(PushDigest.count)
            let (page, field) = sequence.quotientAndRemainder(dividingBy: Self.pageRecords)
            if let place = places[page] {
                pages[place].fields.append(field)
            } else {
                places[page] = pages.count
                pages.append((page, [field]))
            }
            accounts[item.held.account, default: 0] += 1
        }
        append(Int64(batch.generation.number))
        append(sequences)
        append(digests)
        append(Int64(pages.count))
        for (page, fields) in pages {
            append(Int64(page))
            append(Int64(fields.count))
            for field in fields { append(Int64(field)) }
        }
        append(Int64(accounts.count))
        for (account, count) in accounts {
            append(account)
            append(Int64(count))
        }
    }

    /// `PAGE` of `shard.lua`.
    private static var pageRecords: Int { 64 }
}
