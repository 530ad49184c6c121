import BelfryBench
import BelfryCore
import Foundation

/// The classic, as many have written it by hand: a set of ids sorted by due time, a hash of payloads, and workers that look once a second. Whoever
/// removes an id from the set has the push; what it holds when it ends is lost.
package struct ClassicQueue: Sendable {
    package enum Style: Sendable {
        /// A round trip for each step of each push.
        case single
        /// Each step for a whole batch in one round trip: as good as the design can be.
        case pipelined
    }

    /// What goes out: due time in milliseconds since 1970, id, payload.
    package struct Due: Sendable {
        package var due: Int64
        package var id: [UInt8]
        package var payload: [UInt8]
    }

    package static let tick = Duration.seconds(1)
    private static let batch = 500

    let port: Int
    var style = Style.pipelined

    /// Puts pushes.
    ///
    /// - Parameter due: of a push with a number: milliseconds since 1970.
    func put(_ serials: Range<Int>, due: @escaping @Sendable (Int) -> Int64) async throws {
        try await Blocking.run("belfry.classic.put") { [port] in
            let redis = try HiredisConnection(port: port)
            for start in stride(from: serials.lowerBound, to: serials.upperBound, by: Self.batch) {
                let part = start..<min(start + Self.batch, serials.upperBound)
                var set = [word("ZADD"), word("due")]
                var hash = [word("HSET"), word("pushes")]
                for serial in part {
                    let id = BenchPushes.id(serial)
                    set += [word(String(due(serial))), id]
                    hash += [id, BenchPushes.payload]
                }
                // The payload first: whoever finds the id in the set needs it.
                _ = try redis.ask(hash)
                _ = try redis.ask(set)
            }
        }
    }

    /// Works until told to stop, on a thread of its own, as a process of its own would.
    ///
    /// - Parameters:
    ///   - worker: its number among `workers`: they look one after another, spread over the second.
    ///   - open: opens what takes the pushes that it has removed from the set.
    func work(
        _ worker: Int,
        of workers: Int,
        until isOver: @escaping @Sendable () -> Bool,
        open: @escaping @Sendable () throws -> ([Due]) throws -> Void
    ) async throws {
        try await Blocking.run("belfry.classic.\(worker)") {
            let redis = try HiredisConnection(port: port)
            let send = try open()
            let tick = Self.tick / .seconds(1)
            var next = Date.now + tick * Double(worker) / Double(workers)
            while !isOver() {
                Thread.sleep(until: next)
                while try drain(redis, send), !isOver() {}
                // A tick that was missed is left out.
                while next <= .now { next += tick }
            }
        }
    }

    /// - Returns: whether there was anything.
    private func drain(_ redis: HiredisConnection, _ send: ([Due]) throws -> Void) throws -> Bool {
        let now = microsecondsNow() / 1000
        let found = try redis.ask([
            word("ZRANGEBYSCORE"), word("due"), word("-inf"), word(String(now)),
            word("WITHSCORES"),
            word("LIMIT"), word("0"), word(String(Self.batch)),
        ]).elements.compactMap(\.bytes)
        let ids = stride(from: 0, to: found.count, by: 2).map { found[$0] }
        let dues = stride(from: 1, to: found.count, by: 2).map {
            Int64(String(decoding: found[$0], as: UTF8.self)) ?? 0
        }
        guard !ids.isEmpty else { return false }
        switch style {
        case .single: for (id, due) in zip(ids, dues) { try one(redis, id, due, send) }
        case .pipelined: try all(redis, ids, dues, send)
        }
        return true
    }

    private func one(
        _ redis: HiredisConnection,
        _ id: [UInt8],
        _ due: Int64,
        _ send: ([Due]) throws -> Void
    ) throws {
        guard try redis.ask([word("ZREM"), word("due"), id]).number == 1 else { return }
        let payload = try redis.ask([word("HGET"), word("pushes"), id]).bytes ?? []
        try send([Due(due: due, id: id, payload: payload)])
        _ = try redis.ask([word("HDEL"), word("pushes"), id])
    }

    private func all(
        _ redis: HiredisConnection,
        _ ids: [[UInt8]],
        _ dues: [Int64],
        _ send: ([Due]) throws -> Void
    ) throws {
        for id in ids { try redis.append([word("ZREM"), word("due"), id]) }
        var won: [Due] = []
        for (id, due) in zip(ids, dues) where try redis.reply().number == 1 {
            won.append(Due(due: due, id: id, payload: []))
        }
        guard !won.isEmpty else { return }
        let mine = won.map(\.id)
        let payloads = try redis.ask([word("HMGET"), word("pushes")] + mine).elements
        for (index, payload) in payloads.enumerated() { won[index].payload = payload.bytes ?? [] }
        try send(won)
        _ = try redis.ask([word("HDEL"), word("pushes")] + mine)
    }
}

private func word(_ text: String) -> [UInt8] { Array(text.utf8) }
