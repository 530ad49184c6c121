import BelfryCore
import BelfryRedisClient

/// What servers say unasked. It only makes this process look sooner; what is lost costs no more than a sweep.
///
/// Hints: whoever puts something that is due earlier than all before in its shard says so on a channel, which all servers of a cluster know. Ends of keys are told by
/// the one server that had the key: all of them are listened to.
extension RedisTimeline {
    /// Listens until that comes to an end; a moment after a failure it returns, to be called again.
    func listenOnce() async {
        switch configuration.alarm {
        case .polling:
            // Ends with the timeline.
            try? await Task.sleep(for: .seconds(86_400))
        case .hints:
            await listen(to: nil, on: hints)
            // Ends early only with the timeline.
            try? await Task.sleep(for: .seconds(1))
        case .keyspace: await listenToEnds()
        }
    }

    /// Listens to every server, until others have the shards.
    private func listenToEnds() async {
        let nodes = await servers.all()
        let names = Set(nodes.map(\.address))
        await withTaskGroup { group in
            for node in nodes { group.addTask { await self.listenToEnds(of: node) } }
            group.addTask {
                while !Task.isCancelled, await Set(self.servers.all().map(\.address)) == names {
                    // Ends early only with the timeline.
                    try? await Task.sleep(for: .seconds(1))
                }
            }
            // The last one: the others do not end by themselves.
            await group.next()
            group.cancelAll()
        }
    }

    private func listenToEnds(of node: RedisNode) async {
        let channel = "__keyevent@\(node.address.database)__:expired"
        while !Task.isCancelled {
            do throws(TimelineError) {
                try await tellEnds(node)
                await listen(to: node, on: channel)
                // Others may have its shards now.
                do throws(RedisFailure) { try await servers.learn() } catch {
                    throw error.timelineError
                }
            } catch {
                // It is down, or its setting was changed; whoever asks it otherwise is told so.
            }
            // Ends early only with the timeline.
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Sees to it that a server tells when keys have ended.
    ///
    /// - Throws: ``TimelineError`` with `invalid` where it does not and may not be told to, or `io`.
    func tellEnds(_ node: RedisNode) async throws(TimelineError) {
        let name = "notify-keyspace-events"
        do throws(RedisFailure) {
            let reply = try await node.ask([RedisCommand("CONFIG", "GET", name)])[0]
            if case .error = reply {
                return configuration.told(
                    "\(node.address) does not tell its settings: see to it that \(name) has E and x"
                )
            }
            let flags = reply.elements?.last?.string ?? ""
            guard !flags.contains("E") || !flags.contains(where: { "xA".contains($0) }) else {
                return
            }
            let set = try await node.ask([RedisCommand("CONFIG", "SET", name, flags + "Ex")])[0]
            if case .error = set {
                throw RedisFailure(
                    .unfit,
                    "timeline.alarm: keyspace needs \(name) with E and x; \(node.address) has \"\(flags)\" and may not be told otherwise"
                )
            }
        } catch {
            throw error.timelineError
        }
    }

    /// Listens until the connection ends, or the task is cancelled.
    private func listen(to node: RedisNode?, on channel: String) async {
        do {
            let connection = try await servers.listen(to: node) { [book, configuration] reply in
                if let (shard, due) = Self.hint(reply, in: configuration) {
                    book.hint(shard, due: due)
                }
            }
            defer { connection.close() }
            _ = try await connection.ask([RedisCommand("SUBSCRIBE", channel)])[0].get()
            // What was said before nobody heard.
            try await lookAtAll()
            await withTaskGroup { group in
                group.addTask { await connection.end() }
                group.addTask { [sweep = configuration.sweep] in await connection.beat(every: sweep)
                }
                await group.next()
                connection.close()
                group.cancelAll()
            }
        } catch {
            // The connection broke or the timeline ended: whoever called decides whether there is a next one.
        }
    }

    /// Reads `{belfry:s17} 1700000000000`, or `{belfry:s17}:h` of a key that has ended: something is due there.
    static func hint(_ reply: RedisReply, in configuration: RedisConfiguration) -> (Int, Timestamp)?
    {
        let tag = "{\(configuration.prefix):s"
        guard let text = reply.elements?.last?.string, text.hasPrefix(tag),
            let end = text.firstIndex(of: "}"),
            let shard = Int(text[..<end].dropFirst(tag.count)),
            0..<configuration.shards ~= shard
        else { return nil }
        let rest = text[text.index(after: end)...]
        if rest == ":h" { return (shard, Timestamp(milliseconds: 0)) }
        guard rest.hasPrefix(" "), let due = Int64(rest.dropFirst()) else { return nil }
        return (shard, Timestamp(milliseconds: due))
    }
}
