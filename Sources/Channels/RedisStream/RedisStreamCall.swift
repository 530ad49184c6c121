import BelfryCore
import BelfryRedisClient

/// Where messages go on a Redis.
package struct RedisStreamRoute: Sendable, Hashable {
    /// The stream's key. `{account}` stands for the account's key, the first time it occurs.
    package var key: String
    /// About so many of the newest entries are kept; 0: all.
    package var lengthMax: Int

    package init(key: String, lengthMax: Int) {
        self.key = key
        self.lengthMax = lengthMax
    }

    func key(for message: OutboundMessage) -> String { key(of: message.recipient.account) }

    func key(of account: String) -> String {
        key.replacing("{account}", with: account, maxReplacements: 1)
    }
}

/// Adds some messages to one stream.
struct RedisStreamCall {
    /// Which of the batch they are.
    private(set) var messages: [Int] = []
    private(set) var call: ScriptCall

    /// No server is kept from others for longer than so many entries take.
    private static let entriesMax = 250

    /// The fields of an entry, in order.
    static let fields = [
        "message-id", "belfry-id", "belfry-account", "belfry-person", "belfry-asked", "belfry-due",
        "belfry-attempt", "body",
    ]

    /// What is added is counted off by the number of fields. The first argument names the server, which does not matter here.
    private static let script = RedisScript(
        Array(
            """
            local length, width = tonumber(ARGV[2]), tonumber(ARGV[3])
            local names, ids = {}, {}
            for i = 1, width do names[i] = ARGV[3 + i] end
            for first = 4 + width, #ARGV, width do
              local entry = {KEYS[1]}
              if length > 0 then
                entry[2], entry[3], entry[4] = 'MAXLEN', '~', length
              end
              entry[#entry + 1] = '*'
              for i = 1, width do
                entry[#entry + 1] = names[i]
                entry[#entry + 1] = ARGV[first + i - 1]
              end
              ids[#ids + 1] = redis.call('XADD', unpack(entry))
            end
            return ids
            """.utf8
        )
    )

    /// - Returns: calls that together add all, those of one stream in order.
    static func calls(_ messages: [OutboundMessage], _ route: RedisStreamRoute) -> [RedisStreamCall]
    {
        var full: [RedisStreamCall] = []
        var open: [String: RedisStreamCall] = [:]
        for (index, message) in messages.enumerated() {
            let key = route.key(for: message)
            var call = open[key] ?? RedisStreamCall(key, route)
            call.append(message, at: index)
            if call.messages.count == entriesMax {
                full.append(call)
                open[key] = nil
            } else {
                open[key] = call
            }
        }
        return full + open.values
    }

    private init(_ key: String, _ route: RedisStreamRoute) {
        call = ScriptCall(Self.script, key, isPromise: true)
        call.append(Int64(route.lengthMax))
        call.append(Int64(Self.fields.count))
        for field in Self.fields { call.append(field) }
    }

    private mutating func append(_ message: OutboundMessage, at index: Int) {
        messages.append(index)
        call.append(message.wireID)
        call.append(message.id.text)
        call.append(message.recipient.account)
        call.append(message.recipient.person)
        call.append(message.asked.milliseconds)
        call.append(message.due.milliseconds)
        call.append(Int64(message.attempt))
        call.append(message.wireBody)
    }

    /// The ids that the server gave them.
    func ids(_ reply: RedisReply) throws(RedisFailure) -> [String] {
        let ids = (try reply.get().elements ?? []).compactMap(\.string)
        guard ids.count == messages.count else { throw RedisStreamChannel.garbled }
        return ids
    }
}
