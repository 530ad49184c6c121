-- Whoever has not heard that everything was moved hears of it before anything is put where nobody looks.
if retired then return redis.error_reply('RETIRED the pushes that were here have been moved to another place') end
-- A server decides only about shards that it has adopted (adopt.lua): so whoever comes to another one, or to one that has started again, hears of it before anything is done.
-- So does whoever comes back to one from another that was the primary meanwhile: what was done there is unknown here.
if run ~= server or lsn < heard then return redis.error_reply('STRANGER this shard was last at another server, or before a restart of this one') end
