import BelfryCore

/// The pushes that everything is measured with: an id of 16 bytes, a payload of 120, due between an hour and a month from now.
package enum BenchPushes {
    /// Pushes in one call of `schedule`, or of what a peer has instead.
    package static let batch = 1000
    /// Callers at the same time. More than one, as in any server; each waits for its answer before the next batch.
    package static let callers = 4
    package static let payload = [UInt8](repeating: 0x61, count: 120)

    /// `flow/a/100000042`.
    package static func id(_ serial: Int) -> [UInt8] {
        Array("flow/a/\(100_000_000 + serial)".utf8)
    }

    /// The same push has the same delay in every run.
    package static func delay(_ serial: Int) -> Duration {
        var random = SplitMix64(seed: UInt64(serial))
        return .milliseconds(Int64.random(in: 3_600_000...2_600_000_000, using: &random))
    }

    /// The pushes with these numbers, packed.
    static func packed(_ serials: Range<Int>, from now: Timestamp) throws -> PushBatch {
        try packed(serials) { now + delay($0) }
    }

    static func packed(_ serials: Range<Int>, due: (Int) -> Timestamp) throws -> PushBatch {
        var packed = PushBatch()
        packed.reserve(bytes: serials.count * 192)
        for serial in serials {
            let id = id(serial)
            let person = Array("o\(100_000_000 + serial)".utf8)
            try packed.append(
                id: id.span,
                account: [0x61].span,
                person: person.span,
                due: due(serial),
                expires: nil,
                priority: .normal,
                channel: [0x6c, 0x6f, 0x67].span,
                merge: nil,
                mergeKey: [UInt8]().span,
                payload: payload.span
            )
        }
        return packed
    }

    /// So many whole batches, from the push with the number `first` on.
    static func batches(_ count: Int, from first: Int = 0) throws -> [PushBatch] {
        let now = SystemClock().now()
        return try (0..<count).map {
            let start = first + $0 * batch
            return try packed(start..<start + batch, from: now)
        }
    }
}
