package import BelfryCore
import BelfryRedisClient

/// Pushes read in pages, taken out, and put in as they were elsewhere.
extension RedisTimeline: MovableTimeline {
    /// Shard after shard, and in each bucket after bucket of its index: `17/300`.
    package func page(after mark: PageMark?, limit: Int) async throws(TimelineError) -> PendingPage
    {
        var (shard, bucket) = try place(of: mark)
        while shard < configuration.shards {
            var ask = call(scripts.page, shard)
            ask.append(Int64(bucket))
            ask.append(Int64(limit))
            guard let parts = try await self.ask([(shard, ask)])[0].get().reply.elements,
                parts.count == 2, let found = parts[1].elements
            else { throw TimelineError(.corrupt, "a script gave no page") }
            var pushes: [Pending] = []
            for element in found { pushes.append(try Self.listed(element.elements ?? [])) }
            (shard, bucket) = parts[0].number.map { (shard, $0) } ?? (shard + 1, 0)
            guard pushes.isEmpty, shard < configuration.shards else {
                let next = PageMark("\(shard)/\(bucket)")
                return PendingPage(
                    pushes: pushes,
                    next: shard < configuration.shards ? next : nil
                )
            }
        }
        return PendingPage(pushes: [], next: nil)
    }

    private func place(of mark: PageMark?) throws(TimelineError) -> (shard: Int, bucket: Int) {
        guard let mark else { return (0, 0) }
        let parts = mark.text.split(separator: "/").map { Int($0) }
        guard parts.count == 2, let shard = parts[0], let bucket = parts[1], shard >= 0, bucket >= 0
        else { throw TimelineError(.invalid, "mark: '\(mark.text)' is none of this timeline's") }
        return (shard, bucket)
    }

    /// Sequence, attempt, accepted, due, content, asked, what was collected, and the group.
    private static func listed(_ parts: [RedisReply]) throws(TimelineError) -> Pending {
        guard parts.count == 8 else {
            throw TimelineError(.corrupt, "a record in Redis cannot be read")
        }
        var pending = try pending([.integer(0)] + parts.dropLast())
        if let numbers = parts[7].elements?.compactMap(\.number), numbers.count == 3 {
            pending.group = Pending.Group(
                first: Timestamp(milliseconds: Int64(numbers[0])),
                last: Timestamp(milliseconds: Int64(numbers[1])),
                isOpen: numbers[2] == 1
            )
        }
        return pending
    }

    package func withdraw(_ pushes: [Pending]) async throws(TimelineError) -> [Bool] {
        let digests = pushes.map { PushDigest($0.push.id) }
        var isOut = [Bool](repeating: false, count: pushes.count)
        var ended: [(digest: PushDigest, shard: Int)] = []
        var changes: [Intent] = []
        let words = zip(pushes, digests).map { Self.version($0, $1) }
        try await seek(digests, scripts.withdraw, isPromise: true, words) {
            index,
            digest,
            found,
            reply throws(TimelineError) in
            guard reply.number == 0 else { return false }
            changes += cancelled(digest, found, reply.number)
            ended.append((digest, found.shard))
            isOut[index] = true
            return true
        }
        try await keep(changes)
        try await forget(ended)
        return isOut
    }

    private static func version(_ pending: Pending, _ digest: PushDigest) -> [UInt8] {
        var words = digest.bytes
        words.append(number: Int64(pending.sequence), 6)
        words.append(number: StoredPush.clamp(pending.push.due.milliseconds), 6)
        words.append(number: Int64(min(pending.attempt, 65_535)), 2)
        return words
    }

    package func place(_ pushes: [Pending]) async throws(TimelineError) -> [Bool] {
        var ids: [(digest: PushDigest, shard: Int)] = []
        var words: [[UInt8]] = []
        for pending in pushes {
            let (batch, record) = try Self.record(pending.push)
            ids.append(
                (
                    record.digest(in: batch.span),
                    record.shard(in: batch.span, among: configuration.shards)
                )
            )
            words.append(try Self.words(pending, record.stored(in: batch.span)))
        }
        let homes = try await directory(.claim, ids)
        let groups = grouped(ids.indices, by: { homes[$0] ?? ids[$0].shard }, limit: 128)
        let answers = await ask(
            groups.map { group in
                var call = call(scripts.place, group.shard, isPromise: true)
                call.append(hints)
                for index in group.items { call.append(words[index]) }
                return (group.shard, call)
            }
        )
        var isIn = [Bool](repeating: false, count: pushes.count)
        var changes: [Intent] = []
        var failure: TimelineError?
        for (group, answer) in zip(groups, answers) {
            do throws(TimelineError) {
                let answer = try answer.get()
                var sequence = answer.sequence
                for (place, code) in try codes(answer.reply).enumerated() where code == 0 {
                    let index = group.items[place]
                    isIn[index] = true
                    changes += try placed(pushes[index], group.shard, answer, place, sequence)
                    sequence += 1
                }
            } catch { failure = error }
        }
        try await keep(changes)
        if let failure { throw failure }
        return isIn
    }

    /// What is kept of a push that was put in, to be done again where a fail-over loses it: with its due time and content, without its attempts and its group.
    private func placed(
        _ pending: Pending,
        _ shard: Int,
        _ answer: ShardAnswer,
        _ place: Int,
        _ sequence: Int
    ) throws(TimelineError) -> [Intent] {
        guard intents != nil else { return [] }
        var push = pending.push
        push.merge = nil
        let (batch, record) = try Self.record(push)
        return [
            Intent(
                .put,
                shard: shard,
                answer,
                place: place,
                sequence: sequence,
                outcome: ScheduleOutcome.accepted.rawValue,
                record.stored(in: batch.span)
            )
        ]
    }

    /// As `place.lua` takes it.
    private static func words(_ pending: Pending, _ put: [UInt8]) throws(TimelineError) -> [UInt8] {
        let due = pending.push.due
        let group = pending.group ?? Pending.Group(first: due, last: due, isOpen: false)
        var words: [UInt8] = []
        words.append(number: Int64(min(pending.attempt, 65_535)), 2)
        for time in [pending.accepted, pending.asked, group.first, group.last] {
            words.append(number: StoredPush.clamp(time.milliseconds), 6)
        }
        words.append(group.isOpen ? 1 : 0)
        let collected = pending.collected.suffix(PushLimits.collected - 1)
        words.append(UInt8(collected.count))
        for payload in collected {
            var push = pending.push
            push.payload = payload
            let (batch, record) = try record(push)
            let content = record.content(in: batch.span)
            words.append(number: Int64(content.count), 4)
            words += content
        }
        return words + put
    }

    private static func record(_ push: Push) throws(TimelineError) -> ([UInt8], PushRecord) {
        do throws(InvalidPush) {
            let bytes = try PushBatch([push]).bytes
            guard let record = PushRecord(bytes.span, at: 0) else {
                throw InvalidPush(field: "record", problem: "cannot be packed")
            }
            return (bytes, record)
        } catch { throw TimelineError(.invalid, "\(push.id): \(error)") }
    }

    package func awaitsJoining(_ pushes: [Push]) async throws(TimelineError) -> [Bool] {
        var isAwaited = [Bool](repeating: false, count: pushes.count)
        var keys: [(digest: [UInt8], shard: Int)] = []
        for push in pushes {
            let (bytes, record) = try Self.record(push)
            keys.append(
                (
                    record.mergeDigest(in: bytes.span),
                    record.shard(in: bytes.span, among: configuration.shards)
                )
            )
        }
        let groups = grouped(
            pushes.indices.filter { pushes[$0].merge != nil },
            by: { keys[$0].shard },
            limit: 256
        )
        let answers = await ask(
            groups.map { group in
                var call = call(scripts.joinable, group.shard)
                for index in group.items { call.append(keys[index].digest) }
                return (group.shard, call)
            }
        )
        for (group, answer) in zip(groups, answers) {
            for (index, code) in zip(group.items, try codes(try answer.get().reply)) {
                isAwaited[index] = code == 1
            }
        }
        return isAwaited
    }

    package func retire() async throws(TimelineError) -> Bool {
        let counts = try await counts()
        guard counts.scheduled + counts.inFlight == 0 else { return false }
        let answers = await ask(
            (0..<configuration.shards).map { ($0, call(scripts.retire, $0, isPromise: true)) }
        )
        var isClosed = true
        for answer in answers {
            do throws(TimelineError) {
                let said = try codes(try answer.get().reply)
                isClosed = isClosed && said.first == 1
            } catch {
                // A shard that was closed before says so.
                guard error.message.contains("RETIRED") else { throw error }
            }
        }
        return isClosed
    }
}
