-- What is due, the best first (promise T7): by priority band after ageing, then due time, then acceptance. ARGV[3]: how many at most; [4]:
-- milliseconds after which a push moves up a band; [5]: the first band that is deferred, 4: none; [6]: by how many milliseconds. Nothing is taken away:
-- whoever lends calls take_away at the end.
local wanted, ageing = tonumber(ARGV[3]), tonumber(ARGV[4])
deferred, longest = tonumber(ARGV[5]), tonumber(ARGV[6])
call('HDEL', K .. ':m', '')
reap(256)

-- Bands in which something is due, and where each stands: its chunks are read one by one, of each no more than is wanted at once.
local cursors, active = {}, {}

-- The next chunk, or the next part of one; false at the band's end.
local function read_on(cursor)
    if cursor.is_whole then
        local place = text(#cursor.read)
        local chunk = call('ZRANGE', TOP[cursor.band], place, place)[1]
        if not chunk then return false end
        cursor.read[#cursor.read + 1] = chunk
        cursor.start = 0
    else
        cursor.start = cursor.start + #cursor.entries / 2
    end
    local key = CHUNKS[cursor.band] .. cursor.read[#cursor.read]
    cursor.entries = call('ZRANGE', key, text(cursor.start), text(cursor.start + wanted - 1), 'WITHSCORES')
    cursor.is_whole = #cursor.entries < 2 * wanted
    cursor.at = 1
    return true
end

-- What stands next in a band; without a due time where that is nothing, or not yet due.
local function look(cursor)
    cursor.due = nil
    while cursor.at > #cursor.entries do
        if not read_on(cursor) then return end
    end
    local due = tonumber(cursor.entries[cursor.at + 1])
    if due + delay(cursor.band) <= now then cursor.due, cursor.number = due, first_of(cursor.entries[cursor.at]) end
end

for band = 0, 3 do
    local cursor = { band = band, read = {}, entries = {}, at = 1, start = 0, is_whole = true }
    look(cursor)
    if cursor.due then active[#active + 1] = cursor end
    cursors[#cursors + 1] = cursor
end

local function rank_of(cursor) return math.max(0, cursor.band - math.floor((now - cursor.due) / ageing)) end

-- The next one's sequence, its band after ageing and when it was due; nil where nothing more is due.
local function best()
    local place, found, rank = 1, active[1], nil
    if not found then return nil end
    rank = rank_of(found)
    for i = 2, #active do
        local other = active[i]
        local other_rank = rank_of(other)
        if other_rank < rank or (other_rank == rank
            and (other.due < found.due or (other.due == found.due and other.number < found.number))) then
            place, found, rank = i, other, other_rank
        end
    end
    local number, due = found.number, found.due
    found.at = found.at + 2
    look(found)
    if not found.due then table.remove(active, place) end
    return number, rank, due
end

-- Removes what best has given from what is filed.
local function take_away()
    for _, cursor in ipairs(cursors) do
        for place, chunk in ipairs(cursor.read) do
            local key = CHUNKS[cursor.band] .. chunk
            local taken = cursor.start + (cursor.at - 1) / 2
            if place < #cursor.read then
                call('DEL', key)
                call('ZREM', TOP[cursor.band], chunk)
            elseif taken > 0 then
                call('ZREMRANGEBYRANK', key, '0', text(taken - 1))
                if call('EXISTS', key) == 0 then call('ZREM', TOP[cursor.band], chunk) end
            end
        end
    end
end
