-- ARGV[3], [4]: from when and until when; [5]: the width of a bucket, all in milliseconds. Answers bucket and count, by turns.
local from, to, width = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local totals = {}

local function tally(due, number)
    if due < from or due >= to then return end
    local bucket = math.floor((due - from) / width)
    totals[bucket] = (totals[bucket] or 0) + number
end

local function tally_each(key)
    local entries = call('ZRANGEBYSCORE', key, text(from), '(' .. text(to), 'WITHSCORES')
    for i = 2, #entries, 2 do tally(tonumber(entries[i]), 1) end
end

-- A chunk that lies within one bucket is counted whole.
for band = 0, 3 do
    local list = call('ZRANGEBYSCORE', TOP[band], '-inf', '(' .. text(to), 'WITHSCORES')
    for i = 1, #list, 2 do
        local key, first = CHUNKS[band] .. list[i], tonumber(list[i + 1])
        local last = tonumber(list[i + 3] or nil)
        local is_whole = last and first >= from and last < to
            and math.floor((first - from) / width) == math.floor((last - from) / width)
        if is_whole then
            tally(first, call('ZCARD', key))
        elseif not last or last >= from then
            tally_each(key)
        end
    end
end
if flying > 0 then
    for _, batch in ipairs(all_batches()) do
        for at = 1, #batch.held, 6 do tally(read(struct.unpack('>I6', batch.held, at)).due, 1) end
    end
end
local reply = {}
for bucket, total in pairs(totals) do
    reply[#reply + 1] = bucket
    reply[#reply + 1] = total
end
return answer(reply)
