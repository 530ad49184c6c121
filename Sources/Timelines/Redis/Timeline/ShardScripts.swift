import BelfryRedisClient

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
        let time =
            switch clock {
            case .server: PackageResources.clock_server_lua
            case .given: PackageResources.clock_given_lua
            }
        let ring = rings ? PackageResources.ring_key_lua : PackageResources.ring_none_lua
        func script(_ body: [UInt8]...) -> RedisScript {
            RedisScript(time, ring, PackageResources.shard_lua, Array(body.joined()))
        }
        func ofOwner(_ body: [UInt8]...) -> RedisScript {
            script(PackageResources.belongs_lua, Array(body.joined()))
        }
        put = ofOwner(PackageResources.put_lua)
        offer = ofOwner(PackageResources.due_lua, PackageResources.offer_lua)
        claim = ofOwner(PackageResources.due_lua, PackageResources.claim_lua)
        settle = ofOwner(PackageResources.ends_lua, PackageResources.settle_lua)
        extend = ofOwner(PackageResources.extend_lua)
        cancel = ofOwner(PackageResources.ends_lua, PackageResources.cancel_lua)
        find = ofOwner(PackageResources.find_lua)
        look = ofOwner(PackageResources.look_lua)
        counts = ofOwner(PackageResources.counts_lua)
        forecast = ofOwner(PackageResources.forecast_lua)
        release = ofOwner(PackageResources.release_lua)
        home = ofOwner(PackageResources.home_lua)
        page = ofOwner(PackageResources.page_lua)
        withdraw = ofOwner(PackageResources.withdraw_lua)
        place = ofOwner(PackageResources.place_lua)
        retire = ofOwner(PackageResources.retire_lua)
        joinable = ofOwner(PackageResources.joinable_lua)
        layout = script(PackageResources.layout_lua)
        presence = ofOwner(PackageResources.presence_lua)
        adopt = script(PackageResources.adopt_lua)
        redo = script(PackageResources.ends_lua, PackageResources.redo_lua)
        lending = Set([offer, claim, extend, presence].map(\.digest))
    }
}
