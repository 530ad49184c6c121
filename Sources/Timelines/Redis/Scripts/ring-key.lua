-- A key that ends when the shard is next worth a look: its end is told to whoever listens. Only a hint, so that a full memory is no failure.
local function ring(K, next, name, rest)
    redis.pcall('SET', K .. ':h', '', 'PX', math.max(1, rest))
    redis.pcall('HSET', K .. ':m', 'rung', name)
end
