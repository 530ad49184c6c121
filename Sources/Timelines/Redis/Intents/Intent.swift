import BelfryCore

/// One change that a server has confirmed, as `redo.lua` takes it: enough to do it again where a fail-over has lost it.
struct Intent: Sendable, Equatable {
    enum Kind: UInt8 {
        case put = 0
        case cancel = 1
        case settle = 2
    }

    let shard: Int
    /// The number of the change (6), the sequence before it (6), the time (6), kind (1), outcome (1); then what was asked.
    let bytes: [UInt8]

    static let headBytes = 20

    init(shard: Int, bytes: [UInt8]) {
        self.shard = shard
        self.bytes = bytes
    }

    /// - Parameters:
    ///   - answer: what the script said that made the change.
    ///   - place: which of its changes this is, from 0.
    ///   - sequence: the shard's sequence before it.
    init(
        _ kind: Kind,
        shard: Int,
        _ answer: ShardAnswer,
        place: Int,
        sequence: Int,
        outcome: UInt8,
        _ body: [UInt8]
    ) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headBytes + body.count)
        bytes.append(number: Int64(answer.change + place + 1), 6)
        bytes.append(number: Int64(sequence), 6)
        bytes.append(number: answer.now.milliseconds, 6)
        bytes.append(kind.rawValue)
        bytes.append(outcome)
        bytes += body
        self.init(shard: shard, bytes: bytes)
    }

    /// The number of the change in its shard.
    var change: Int { bytes.prefix(6).reversed().reduce(0) { $0 << 8 | Int($1) } }

    var kind: Kind? { Kind(rawValue: bytes[18]) }

    var outcome: UInt8 { bytes[19] }

    /// The id that it was about.
    var digest: PushDigest {
        PushDigest(in: kind == .put ? bytes[(Self.headBytes + 16)...] : bytes[Self.headBytes...])
    }

    /// The ids that follow from a settlement.
    var successors: [PushDigest] {
        guard kind == .settle else { return [] }
        var digests: [PushDigest] = []
        var rest = bytes.dropFirst(Self.headBytes + PushDigest.count + 13)
        while rest.count > 4 {
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            digests.append(PushDigest(in: rest.dropFirst(4 + 16)))
            rest = rest.dropFirst(4 + length)
        }
        return digests
    }

    /// Whether nothing of the push was left after it.
    var isEnd: Bool {
        switch kind {
        case .put, nil: false
        case .cancel: outcome == 0
        // A result of 0 is done or dead.
        case .settle: outcome == 1 || outcome == 0 && bytes[Self.headBytes + 16] == 0
        }
    }
}
