-- A server decides only about shards that it has adopted (adopt.lua): so whoever comes to another one, or to one that has started again, hears of it before anything is done.
if run ~= server then return redis.error_reply('STRANGER this shard was last at another server, or before a restart of this one') end
