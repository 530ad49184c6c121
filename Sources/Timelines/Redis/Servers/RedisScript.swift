import Crypto

/// One Lua script: a clock, what every script knows of a shard, and what this one does.
struct RedisScript: Sendable {
    let source: [UInt8]
    /// The name that a server knows it by.
    let digest: String

    init(_ parts: [UInt8]...) {
        source = Array(parts.joined())
        digest = Insecure.SHA1.hash(data: source).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}

/// The scripts of a timeline. See `Scripts/shard.lua` for what lies where.
struct ShardScripts: Sendable {
    let put: RedisScript
    let offer: RedisScript
    let claim: RedisScript
    let settle: RedisScript
    let extend: RedisScript
    let cancel: RedisScript
    let find: RedisScript
    let look: RedisScript
    let counts: RedisScript
    let forecast: RedisScript
    let release: RedisScript
    let home: RedisScript
    let layout: RedisScript

    init(clock: RedisClock) {
        let time =
            switch clock {
            case .server: PackageResources.clock_server_lua
            case .given: PackageResources.clock_given_lua
            }
        func script(_ body: [UInt8]...) -> RedisScript {
            RedisScript(time, PackageResources.shard_lua, Array(body.joined()))
        }
        put = script(PackageResources.put_lua)
        offer = script(PackageResources.due_lua, PackageResources.offer_lua)
        claim = script(PackageResources.due_lua, PackageResources.claim_lua)
        settle = script(PackageResources.settle_lua)
        extend = script(PackageResources.extend_lua)
        cancel = script(PackageResources.cancel_lua)
        find = script(PackageResources.find_lua)
        look = script(PackageResources.look_lua)
        counts = script(PackageResources.counts_lua)
        forecast = script(PackageResources.forecast_lua)
        release = script(PackageResources.release_lua)
        home = script(PackageResources.home_lua)
        layout = script(PackageResources.layout_lua)
    }
}

/// One call of a script on one shard.
struct ScriptCall: Sendable {
    let script: RedisScript
    /// The shard's hash tag.
    let key: String
    /// Whether replicas must have what it changes before it counts as done.
    let isPromise: Bool
    private(set) var arguments: [[UInt8]] = []

    init(_ script: RedisScript, _ key: String, isPromise: Bool = false) {
        self.script = script
        self.key = key
        self.isPromise = isPromise
    }

    mutating func append(_ bytes: [UInt8]) { arguments.append(bytes) }
    mutating func append(_ text: String) { arguments.append(Array(text.utf8)) }
    mutating func append(_ number: Int64) { append(String(number)) }

    var command: RedisCommand {
        var command = RedisCommand("EVALSHA", script.digest, "1", key)
        for argument in arguments { command.append(argument) }
        return command
    }
}
