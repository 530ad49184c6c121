-- Says what claim would lend, and lends nothing: band after ageing, due time and how many of these, by turns. Where more is wanted than a chunk holds, whole chunks
-- are told, each by what its first push was due: shards are compared by these.
local ranks, last = {}, 0

local function tell(rank, due, count)
    ranks[last + 1], ranks[last + 2], ranks[last + 3] = rank, due, count
    last = last + 3
end

-- The chunks of a band that are due, until they hold as many as are wanted.
local function add_chunks(band, found)
    local latest, count, start = text(now - delay(band)), 0, 0
    repeat
        local chunks = call('ZRANGEBYSCORE', TOP[band], '-inf', latest, 'WITHSCORES', 'LIMIT', text(start), '8')
        for i = 1, #chunks, 2 do
            local key, due = CHUNKS[band] .. chunks[i], tonumber(chunks[i + 1])
            -- What stands before another chunk that is due is due.
            local here = chunks[i + 2] and call('ZCARD', key) or call('ZCOUNT', key, '-inf', latest)
            if here > 0 then found[#found + 1] = { rank = rank_of(band, due), due = due, count = here } end
            count = count + here
        end
        start = start + 8
    until count >= wanted or #chunks < 16
end

local function tell_chunks()
    local found, count = {}, 0
    for _, cursor in ipairs(cursors) do add_chunks(cursor.band, found) end
    table.sort(found, function(a, b)
        if a.rank ~= b.rank then return a.rank < b.rank end
        return a.due < b.due
    end)
    for _, chunk in ipairs(found) do
        if count >= wanted then return end
        tell(chunk.rank, chunk.due, chunk.count)
        count = count + chunk.count
    end
end

local function tell_each()
    local band_before, due_before
    take(function(_, band, due)
        if due == due_before and band == band_before then
            ranks[last] = ranks[last] + 1
            return
        end
        tell(rank_of(band, due), due, 1)
        band_before, due_before = band, due
    end)
end

if wanted > CHUNK then tell_chunks() else tell_each() end
return answer(ranks)
