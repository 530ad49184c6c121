-- What is due, the best first (promise T7): by priority band after ageing, then due time, then acceptance. ARGV[3]: how many at most; [4]:
-- milliseconds after which a push moves up a band; [5]: the first band that is deferred, 4: none; [6]: by how many milliseconds. Nothing is removed:
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
    if due + delay(cursor.band) <= now then cursor.due, cursor.name = due, cursor.entries[cursor.at] end
end

-- A band's first chunk begins no later than its first push is due.
for band = 0, 3 do
    local first = call('ZRANGE', TOP[band], '0', '0', 'WITHSCORES')[2]
    if first and tonumber(first) + delay(band) <= now then
        local cursor = { band = band, read = {}, entries = {}, at = 1, start = 0, is_whole = true }
        cursors[#cursors + 1] = cursor
    end
end

local function look_at_all()
    for _, cursor in ipairs(cursors) do
        look(cursor)
        if cursor.due then active[#active + 1] = cursor end
    end
end

local function rank_of(band, due) return math.max(0, band - math.floor((now - due) / ageing)) end

-- Which of two goes first, by rank, due time and acceptance.
local function is_before(a, b)
    local rank, other = rank_of(a.band, a.due), rank_of(b.band, b.due)
    if rank ~= other then return rank < other end
    if a.due ~= b.due then return a.due < b.due end
    return first_of(a.name) < first_of(b.name)
end

-- Takes the best of several bands: its sequence, as chunks hold it, its band and when it was due.
local function take_best()
    local place, found = 1, active[1]
    for i = 2, #active do
        if is_before(active[i], found) then place, found = i, active[i] end
    end
    local name, due = found.name, found.due
    found.at = found.at + 2
    look(found)
    if not found.due then table.remove(active, place) end
    return name, found.band, due
end

-- As many as are wanted, the best first: `each` hears of the sequence, as chunks hold it, the band and the due time of each. What is left of one band needs no comparing.
local function take(each)
    local left = wanted
    look_at_all()
    while left > 0 and #active > 1 do
        each(take_best())
        left = left - 1
    end
    local cursor = active[1]
    if not cursor then return end
    local latest = now - delay(cursor.band)
    repeat
        local entries, at = cursor.entries, cursor.at
        local due = tonumber(entries[at + 1] or nil)
        while left > 0 and due and due <= latest do
            each(entries[at], cursor.band, due)
            left, at = left - 1, at + 2
            due = tonumber(entries[at + 1] or nil)
        end
        cursor.at = at
    until left == 0 or due or not read_on(cursor)
end

-- Removes what was taken from what is filed.
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

-- Takes as many of one band as are wanted, and removes them: names only, as there is nothing to compare.
local function take_run(band)
    local names, latest = {}, text(now - delay(band))
    repeat
        local chunk = call('ZRANGE', TOP[band], '0', '0')[1]
        local key = chunk and CHUNKS[band] .. chunk
        local found = key and call('ZRANGEBYSCORE', key, '-inf', latest, 'LIMIT', '0', text(wanted - #names)) or {}
        for i = 1, #found do names[#names + 1] = found[i] end
        if #found > 0 then call('ZREMRANGEBYRANK', key, '0', text(#found - 1)) end
        local is_empty = #found > 0 and call('EXISTS', key) == 0
        if is_empty then call('ZREM', TOP[band], chunk) end
    until #names == wanted or not is_empty
    return names
end
