package import BelfryCore
import BelfryRedisClient

/// What all who use the keys agree on, and whether what this process knows to lie under them is still there.
extension RedisTimeline {
    /// 2: what is in flight in batches, the numbers of a shard in one word.
    private static let format = 2

    /// From now on the pushes belong to these records, unless they belong to others.
    ///
    /// - Throws: ``TimelineError`` with `invalid` where they do, or `io`.
    package func hold() async throws(TimelineError) { try await agreeOnLayout(holding: true) }

    /// Says how the keys are used, or hears how they are.
    ///
    /// - Parameter holding: whether it says whose records they belong to, too.
    /// - Throws: ``TimelineError`` with `invalid` where others use them otherwise, or `newerFormat`.
    func agreeOnLayout(holding: Bool = false) async throws(TimelineError) {
        var ask = call(scripts.layout, 0)
        ask.append(Int64(Self.format))
        ask.append(Int64(configuration.shards))
        ask.append(holding ? configuration.records : "")
        // Under the tag of shard 0, which there always is.
        let said = try heard(await askOnce([(0, ask)])[0]).reply.elements ?? []
        guard said.count == 3, let format = said[0].number, let shards = said[1].number else {
            throw TimelineError(.corrupt, "the layout in Redis cannot be read")
        }
        try check(format: format, shards: shards)
        try check(records: said[2].string)
    }

    private func check(format: Int, shards: Int) throws(TimelineError) {
        guard format <= Self.format else {
            throw TimelineError(
                .newerFormat,
                "the pushes under the prefix '\(configuration.prefix)' in Redis have format \(format), this program knows \(Self.format) at most"
            )
        }
        guard format == Self.format else {
            throw TimelineError(
                .invalid,
                "the pushes in Redis have format \(format), which this version does not read: move them elsewhere with the version that wrote them (`belfry migrate timeline`), and back with this one"
            )
        }
        guard shards == configuration.shards else {
            throw TimelineError(
                .invalid,
                "shards: is \(configuration.shards), but these keys are used with \(shards): start with those, then `belfry config set timeline.shards=\(configuration.shards)` moves everything"
            )
        }
    }

    /// Another's accounts are unknown here: their pushes would be given up.
    private func check(records: String?) throws(TimelineError) {
        let own = configuration.records
        guard let records, !own.isEmpty, records != own else { return }
        throw TimelineError(
            .invalid,
            """
            the pushes under the prefix '\(configuration.prefix)' in this Redis belong to a server with other records \
            (\(records); these are \(own)): it alone knows their accounts. Set another timeline.prefix, or let both use the same records \
            (records.url with a PostgreSQL). Where those other records are lost for good, `redis-cli HDEL '\(tag(0)):layout' records` gives the pushes to the next server that starts
            """
        )
    }

    /// Takes note of what lies in shards, and tells where all that was there is lost.
    ///
    /// - Throws: ``TimelineError`` with `invalid` where others have taken the keys since.
    func hear(_ names: [Int: String]) async throws(TimelineError) {
        guard !book.lost(names).isEmpty else {
            _ = book.note(names)
            return
        }
        // The layout may have gone with the rest.
        try await agreeOnLayout(holding: true)
        let lost = book.note(names)
        if !lost.isEmpty { configuration.lost(lost) }
    }

    /// 16 hexadecimal digits. From no seed: two processes that share one must not give the same name.
    static func newName() -> String {
        let number = UInt64.random(in: .min ... .max)
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
