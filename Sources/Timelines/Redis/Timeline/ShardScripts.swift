import BelfryRedisClient

/// The scripts of a timeline. See `Scripts/shard.lua` for what lies where.
struct ShardScripts: Sendable {
    let put: RedisScript
    let offer: RedisScript
    let claim: RedisScript
    let done: RedisScript
    let settle: RedisScript
    let extend: RedisScript
    let cancel: RedisScript
    let find: RedisScript
    let look: RedisScript
    let counts: RedisScript
    let forecast: RedisScript
    let release: RedisScript
    let home: RedisScript
    let forget: RedisScript
    let layout: RedisScript
    let presence: RedisScript
    let adopt: RedisScript
    let redo: RedisScript
    let page: RedisScript
    let withdraw: RedisScript
    let place: RedisScript
    let joinable: RedisScript
    let retire: RedisScript
    /// The digests of those that a worker goes on without, as long as a server is not there: it claims of the others, and what it holds of them stays lent to it.
    let lending: Set<String>

    /// - Parameter rings: whether a key ends when a shard is next worth a look.
    init(clock: RedisClock, rings: Bool) {
        typealias Part = PackageResources
        let time =
            switch clock {
            case .server: Part.clock_server_lua
            case .given: Part.clock_given_lua
            }
        let ring = rings ? Part.ring_key_lua : Part.ring_none_lua
        // What a script need not know of takes its server's time all the same.
        func script(_ parts: [UInt8]...) -> RedisScript {
            RedisScript(time, ring, Part.shard_lua, Array(parts.joined()))
        }
        func ofOwner(_ parts: [UInt8]...) -> RedisScript {
            script(Part.belongs_lua, Array(parts.joined()))
        }
        let filed =
            Part.indexes_lua + Part.records_lua + Part.filed_lua + Part.next_lua + Part.groups_lua
        let held = filed + Part.batches_lua + Part.leases_lua
        let changed = held + Part.changes_lua
        let taken = changed + Part.puts_lua
        put = ofOwner(taken, Part.put_lua)
        offer = ofOwner(held, Part.due_lua, Part.offer_lua)
        claim = ofOwner(held, Part.due_lua, Part.claim_lua)
        done = ofOwner(Part.indexes_lua, Part.batches_lua, Part.changes_lua, Part.done_lua)
        settle = ofOwner(taken, Part.ends_lua, Part.settle_lua)
        extend = ofOwner(held, Part.extend_lua)
        cancel = ofOwner(taken, Part.ends_lua, Part.cancel_lua)
        find = ofOwner(held, Part.find_lua)
        look = ofOwner(Part.filed_lua, Part.next_lua, Part.look_lua)
        counts = ofOwner(held, Part.counts_lua)
        forecast = ofOwner(held, Part.forecast_lua)
        release = ofOwner(held, Part.release_lua)
        home = ofOwner(Part.indexes_lua, Part.home_lua)
        forget = ofOwner(Part.indexes_lua, Part.forget_lua)
        page = ofOwner(held, Part.page_lua)
        withdraw = ofOwner(changed, Part.withdraw_lua)
        place = ofOwner(changed, Part.place_lua)
        retire = ofOwner(Part.retire_lua)
        joinable = ofOwner(Part.joinable_lua)
        layout = script(Part.layout_lua)
        presence = ofOwner(Part.presence_lua)
        adopt = script(Part.adopt_lua)
        redo = script(taken, Part.ends_lua, Part.redo_lua)
        lending = Set([offer, claim, extend, presence].map(\.digest))
    }
}
