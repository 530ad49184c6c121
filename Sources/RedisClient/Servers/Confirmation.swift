import BelfryCore

/// Who must have what was promised before the caller hears of it. What other callers ask on the connection waits with it.
package struct Confirmation: Sendable, Hashable {
    package var replicas = 0
    /// In append-only files, the server's own among them, instead of in memory.
    package var onDisk = false
    /// How long they may take.
    package var timeout = Duration.seconds(1)

    package init() {}

    /// What is asked behind the calls; `nil` where nothing needs to be confirmed.
    var command: RedisCommand? {
        let limit = String(timeout.milliseconds)
        if onDisk { return RedisCommand("WAITAOF", "1", String(replicas), limit) }
        return replicas > 0 ? RedisCommand("WAIT", String(replicas), limit) : nil
    }

    /// What is wrong with the answer to it; `nil`: everybody has it.
    func problem(_ reply: RedisReply?) -> String? {
        guard onDisk || replicas > 0 else { return nil }
        let counts = (onDisk ? reply?.elements ?? [] : [.integer(1)] + (reply.map { [$0] } ?? []))
            .compactMap(\.number)
        let (own, confirmed) = counts.count == 2 ? (counts[0], counts[1]) : (0, 0)
        guard own < 1 || confirmed < replicas else { return nil }
        let file = onDisk && own < 1 ? "the server's file does not have it, " : ""
        return
            "\(file)\(confirmed) of \(replicas) replicas have confirmed; it is done, but a fail-over may lose it"
    }
}
