package import BelfryCore
import BelfryRedisClient

extension RedisTimeline {
    /// Asks the shards in which something is known to be due. Where that is one, it lends at once: one round trip. Several first say what they could lend, and are
    /// then asked for their shares of what goes first (promise T7): two. Beside other processes, ``ShardOwnership`` says which are asked.
    package func claim(limit: Int, lease: Duration, deferring deferral: Deferral?)
        async throws(TimelineError) -> ClaimBatch
    {
        guard 1...PushLimits.batchPushes ~= limit else {
            throw TimelineError(.invalid, "limit: 1 to \(PushLimits.batchPushes) are allowed")
        }
        let terms = ClaimTerms(lease: try checked(lease), deferral: deferral)
        var claims: [Claim] = []
        var hasLooked = false
        let began = clock.steady.steadyMilliseconds()
        await beat()
        if book.needsLook(every: configuration.sweep) {
            try await lookAtAll(deferring: deferral)
            hasLooked = true
        }
        while claims.count < limit {
            // What waits for more to become due is late.
            let waited = clock.steady.steadyMilliseconds() - began
            if !claims.isEmpty, waited >= Self.patience { break }
            let due = book.due()
            if due.isEmpty {
                // Others may have put something; and the server's clock may have been set.
                if hasLooked { break }
                try await lookAtAll(deferring: deferral)
                hasLooked = true
                continue
            }
            do throws(TimelineError) {
                let overdue = Set(book.due(since: ShardOwnership.patience))
                let asked = ownership.first(of: due, overdue: overdue)
                claims += try await claim(limit - claims.count, of: asked, terms)
            } catch {
                // What was lent already must reach its worker.
                if claims.isEmpty { throw error }
                break
            }
        }
        return ClaimBatch(
            claims: claims,
            now: book.now ?? clock.steady.now(),
            nextDue: book.nextDue
        )
    }

    private func claim(_ limit: Int, of due: [Int], _ terms: ClaimTerms)
        async throws(TimelineError) -> [Claim]
    {
        var sum = ClaimSum()
        if due.count == 1 {
            await lend([(due[0], min(limit, ClaimSum.shareLimit))], terms, &sum)
        } else if let share = share(of: limit, among: due.count) {
            await lend(due.map { ($0, share) }, terms, &sum)
        } else {
            sum = await offers(limit, of: due, terms)
            await lend(sum.shares(of: limit), terms, &sum)
        }
        if due.count > 1 { note(leavesBehind: sum.isBehind) }
        return try sum.claims(by: configuration.ageing, at: now)
    }

    /// How many each shard may lend without being asked first what it could: as long as they keep up, that is all of what is due, whatever its order. `nil`
    /// where something was left behind in one of them the last time, or where shares would be small.
    private func share(of limit: Int, among shards: Int) -> Int? {
        let share = min(limit / shards, ClaimSum.shareLimit)
        return share < Self.evenShare || leavesBehind ? nil : share
    }

    private static var evenShare: Int { 16 }

    /// What shards could lend: of each somewhat more than its even share.
    private func offers(_ limit: Int, of due: [Int], _ terms: ClaimTerms) async -> ClaimSum {
        let wanted = min(limit, ClaimSum.shareLimit, max(8, limit * 5 / 4 / due.count))
        let answers = await ask(
            due.map { shard in
                var call = call(scripts.offer, shard)
                call.append(Int64(wanted))
                call.append(configuration.ageing.milliseconds)
                call.append(terms.deferral)
                return (shard, call)
            }
        )
        var sum = ClaimSum()
        for (shard, answer) in zip(due, answers) {
            do throws(TimelineError) {
                let words = try codes(try answer.get().reply).compactMap { $0 }
                sum.offer(words, of: shard, wanted: wanted)
            } catch {
                sum.fail(error)
            }
        }
        return sum
    }

    private func lend(
        _ shares: [(shard: Int, count: Int)],
        _ terms: ClaimTerms,
        _ sum: inout ClaimSum
    ) async {
        let answers = await ask(
            shares.map { share in
                var call = call(scripts.claim, share.shard)
                call.append(Int64(share.count))
                call.append(configuration.ageing.milliseconds)
                call.append(terms.deferral)
                call.append(terms.lease)
                call.append(configuration.owner)
                return (share.shard, call)
            }
        )
        for (share, answer) in zip(shares, answers) {
            do throws(TimelineError) {
                let answer = try answer.get()
                let lent = try LentBatch(answer.reply)
                if let next = answer.nextDue, next <= answer.now { sum.isBehind = true }
                let claims = try lent.claims(
                    of: share.shard,
                    until: now + .milliseconds(terms.lease)
                )
                held.take(lent, claims, of: share.shard)
                for claim in claims { sum.lend(claim, of: share.shard) }
            } catch {
                sum.fail(error)
            }
        }
    }

    /// After so many milliseconds a claim ends with what it has, though something more have become due meanwhile.
    private static var patience: Int64 { 10 }

    private var now: Timestamp { book.now ?? clock.steady.now() }

    /// The payloads of contents that a merge has collected.
    static func payloads(_ contents: [RedisReply]) throws(TimelineError) -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        for content in contents {
            let due = Timestamp(milliseconds: 0)
            payloads.append(try StoredPush.push(content.bytes ?? [], due: due).payload)
        }
        return payloads
    }

    package func extend(_ tokens: [ClaimToken], lease: Duration) async throws(TimelineError)
        -> [ExtendOutcome]
    {
        let length = try checked(lease)
        var outcomes = [ExtendOutcome](repeating: .stale, count: tokens.count)
        let held = tokens.indices.filter { isOurs(tokens[$0]) }
        let groups = grouped(held, by: { Generation(tokens[$0].generation).shard }, limit: 256)
        let answers = await ask(
            groups.map { group in
                var call = call(scripts.extend, group.shard)
                call.append(length)
                for index in group.items { call.append(Self.words(tokens[index])) }
                return (group.shard, call)
            }
        )
        for (group, answer) in zip(groups, answers) {
            for (index, code) in zip(group.items, try codes(try answer.get().reply)) {
                outcomes[index] = try known(code)
            }
        }
        return outcomes
    }

    /// Whether a token names a shard that there is.
    func isOurs(_ token: ClaimToken) -> Bool {
        Generation(token.generation).shard < configuration.shards
    }

    /// Digest and generation of a token, as scripts take them.
    static func words(_ token: ClaimToken) -> [UInt8] {
        var words = PushDigest(token.id).bytes
        words.append(number: Int64(Generation(token.generation).number), 6)
        return words
    }

    private func checked(_ lease: Duration) throws(TimelineError) -> Int64 {
        guard lease > .zero, lease <= PushLimits.lease else {
            throw TimelineError(.invalid, "lease: above zero, at most \(PushLimits.lease)")
        }
        return max(1, lease.milliseconds)
    }
}

/// On which terms shards lend.
private struct ClaimTerms: Sendable {
    /// In milliseconds.
    var lease: Int64
    var deferral: Deferral?
}

extension ScriptCall {
    /// The first band that is deferred, and by how many milliseconds, as `Scripts/due.lua` takes them.
    mutating func append(_ deferral: Deferral?) {
        append(Int64(deferral?.from.rawValue ?? 4))
        append(deferral?.longest.milliseconds ?? 0)
    }
}

/// A fencing token's number: the shard's own, below 2^48, and the shard above it, so that whoever settles need not look for the push.
struct Generation {
    var shard: Int
    var number: Int

    init(shard: Int, number: Int) {
        self.shard = shard
        self.number = number
    }

    init(_ value: UInt64) {
        shard = Int(value >> 48)
        number = Int(value & (1 << 48 - 1))
    }

    var value: UInt64 { UInt64(shard) << 48 | UInt64(number) }
}
