import BelfryCore
import BelfryRedisClient

/// What a script says.
struct ShardAnswer: Sendable {
    /// The server's time.
    var now: Timestamp
    /// The shard's steady clock.
    var steady: Int64
    var nextDue: Timestamp?
    /// Whether the script has changed nothing of that, and did not look.
    var isAsBefore: Bool
    var reply: RedisReply
    /// The change before the first of this call.
    var change: Int
    /// The sequence before the first of this call.
    var sequence: Int
    /// The change with which the server began that has the shard now.
    var floor: Int
    /// The change that is the last now.
    var last: Int

    /// `nil` where it is none.
    init?(_ reply: RedisReply) {
        guard let parts = reply.elements, parts.count == 8, let now = parts[0].number,
            let steady = parts[1].number, let change = parts[4].number,
            let sequence = parts[5].number, let floor = parts[6].number,
            let last = parts[7].number
        else { return nil }
        self.now = Timestamp(milliseconds: Int64(now))
        self.steady = Int64(steady)
        nextDue = parts[2].number.map { Timestamp(milliseconds: Int64($0)) }
        isAsBefore = parts[2].bytes != nil
        self.reply = parts[3]
        (self.change, self.sequence) = (change, sequence)
        (self.floor, self.last) = (floor, last)
    }
}
