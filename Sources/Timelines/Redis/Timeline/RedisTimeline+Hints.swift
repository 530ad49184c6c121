import BelfryCore

/// Hints: whoever puts something that is due earlier than all before in its shard says so on a channel. They only make others look
/// sooner; one that is lost costs no more than a sweep.
extension RedisTimeline {
    /// Listens until the connection ends, or the task is cancelled. A moment after a failure it returns, to be called again.
    func listenOnce() async {
        let connection: RedisConnection
        do throws(RedisFailure) {
            connection = try await servers.listen { [book, configuration] reply in
                if let (shard, due) = Self.hint(reply, in: configuration) {
                    book.hint(shard, due: due)
                }
            }
        } catch {
            // Ends early only with the timeline.
            try? await Task.sleep(for: .seconds(1))
            return
        }
        defer { connection.close() }
        do {
            _ = try await connection.ask([RedisCommand("SUBSCRIBE", hints)])[0].get()
            // What was said before nobody heard.
            try await lookAtAll()
            // The heartbeat: a connection that is dead without a word is noticed by it.
            while !Task.isCancelled {
                try await Task.sleep(for: configuration.sweep)
                _ = try await connection.ask([RedisCommand("PING")])
            }
        } catch {
            // The connection broke or the timeline ended: whoever called decides whether there is a next one.
        }
    }

    /// Reads `{belfry:s17} 1700000000000`.
    static func hint(_ reply: RedisReply, in configuration: RedisConfiguration) -> (Int, Timestamp)?
    {
        let tag = "{\(configuration.prefix):s"
        guard let words = reply.elements?.last?.string?.split(separator: " "), words.count == 2,
            words[0].hasPrefix(tag), let shard = Int(words[0].dropFirst(tag.count).dropLast()),
            0..<configuration.shards ~= shard, let due = Int64(words[1])
        else { return nil }
        return (shard, Timestamp(milliseconds: due))
    }
}
