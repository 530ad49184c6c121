-- What was claimed together is a batch: one word of :f, named by its generation, with the owner (1, its length, and so many) and the sequences that are
-- still held (6 each). A part whose lease was extended by itself is a batch of its own, named by the generation and a number. Batches are few, and are read where
-- something is held that somebody else asks about.
local batches, kills

local function batch_of(name, word)
    local start = 2 + string.byte(word)
    return { name = name, gen = tonumber(string.match(name, '^%d+')), owner = string.sub(word, 2, start - 1), held = string.sub(word, start) }
end

local function all_batches()
    if batches then return batches end
    batches = {}
    local fields = flying > 0 and call('HGETALL', FLIGHTS) or {}
    for i = 1, #fields, 2 do batches[#batches + 1] = batch_of(fields[i], fields[i + 1]) end
    return batches
end

-- Where a sequence stands in a batch; nil where it does not.
local function place_in(batch, name)
    local at = string.find(batch.held, name, 1, true)
    while at and at % 6 ~= 1 do at = string.find(batch.held, name, at + 1, true) end
    return at
end

local function batch_with(number)
    local name = member(number)
    for _, batch in ipairs(all_batches()) do
        if place_in(batch, name) then return batch end
    end
end

local function is_over(batch)
    if not batch.ends then batch.ends = tonumber(call('ZSCORE', LEASES, batch.name)) end
    return batch.ends <= steady
end

-- The id of a push that was cancelled in flight; false where it was not.
local function killed(number)
    kills = kills or call('HLEN', KILLED)
    return kills > 0 and call('HGET', KILLED, text(number))
end

local function land(number, batch)
    dirty = true
    flying = flying - 1
    local at = place_in(batch, member(number))
    batch.held = string.sub(batch.held, 1, at - 1) .. string.sub(batch.held, at + 6)
    batch.is_changed = true
    if killed(number) then call('HDEL', KILLED, text(number)) end
end

keep_batches = function()
    for _, batch in ipairs(batches or {}) do
        if batch.is_changed and batch.held == '' then
            call('HDEL', FLIGHTS, batch.name)
            call('ZREM', LEASES, batch.name)
        elseif batch.is_changed then
            call('HSET', FLIGHTS, batch.name, string.char(#batch.owner) .. batch.owner .. batch.held)
        end
    end
end
