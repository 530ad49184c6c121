-- Ends pushes of which their claimer knows where everything of them lies: those that merge with nothing and have no successors. ARGV[3...]: batch after batch, each as
--
--   its name, the sequences (6 each) and the ids (10 each) of what is done of it
--   how many pages; of each its number, how many records, their fields
--   how many accounts; of each its name, and how many pushes
--
-- A batch of which anything is not as it was claimed is left alone: 1 ended, 0 left to settle.lua.
call('HDEL', K .. ':m', '')
local ended, gone, at = {}, {}, 3
local is_plain = flying > 0 and call('HLEN', KILLED) == 0 and call('HLEN', PARKED) == 0

-- A batch without these; nil where one of them is not in it, or its lease is over.
local function without(name, held)
    local word = is_plain and call('HGET', FLIGHTS, name)
    local batch = word and batch_of(name, word)
    if not batch or is_over(batch) then return nil end
    if string.sub(batch.held, 1, #held) == held then
        batch.held = string.sub(batch.held, #held + 1)
        return batch
    end
    for i = 1, #held, 6 do
        local place = place_in(batch, string.sub(held, i, i + 5))
        if not place then return nil end
        batch.held = string.sub(batch.held, 1, place - 1) .. string.sub(batch.held, place + 6)
    end
    return batch
end

local function forget_ids(digests)
    for i = 1, #digests, ID do
        local digest = string.sub(digests, i, i + ID - 1)
        local key = bucket(ids, digest)
        local list = gone[key]
        if list then list[#list + 1] = digest else gone[key] = { key, digest } end
        change(digest, true)
    end
end

while at <= #ARGV do
    local held = ARGV[at + 1]
    local batch = without(ARGV[at], held)
    ended[#ended + 1] = batch and 1 or 0
    if batch then
        batch.is_changed = true
        batches = batches or {}
        batches[#batches + 1] = batch
        flying = flying - #held / 6
        forget_ids(ARGV[at + 2])
    end
    local pages = tonumber(ARGV[at + 3])
    at = at + 4
    for _ = 1, pages do
        local last = at + 1 + tonumber(ARGV[at + 1])
        if batch then call('HDEL', K .. ':r' .. ARGV[at], unpack(ARGV, at + 2, last)) end
        at = last + 1
    end
    local names = tonumber(ARGV[at])
    for i = at + 1, at + 2 * names, 2 do
        if batch then accounts[ARGV[i]] = (accounts[ARGV[i]] or 0) - tonumber(ARGV[i + 1]) end
    end
    at = at + 1 + 2 * names
end
for _, list in pairs(gone) do ids.size = ids.size - call('HDEL', unpack(list)) end
return conclude(ended, 'as before')
