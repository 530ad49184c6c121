-- What is due, the best first (promise T7): by priority band after ageing, then due time, then acceptance. ARGV[3]: how many at most; [4]:
-- milliseconds after which a push moves up a band; [5]: the first band that is deferred, 4: none; [6]: by how many milliseconds. Nothing is taken away:
-- whoever lends calls take_away at the end.
local wanted, ageing = tonumber(ARGV[3]), tonumber(ARGV[4])
deferred, longest = tonumber(ARGV[5]), tonumber(ARGV[6])
call('HDEL', K .. ':m', '')
reap(256)
local cursors = {}

-- Where a band stands: its chunks are read whole, one by one. Nil at its end.
local function head(band)
    local cursor = cursors[band]
    if not cursor then
        cursor = { read = {}, entries = {}, at = 1 }
        cursors[band] = cursor
    end
    if cursor.at > #cursor.entries then
        local chunk = call('ZRANGE', K .. ':t' .. band, #cursor.read, #cursor.read)[1]
        if not chunk then return nil end
        cursor.read[#cursor.read + 1] = chunk
        cursor.entries = call('ZRANGE', K .. ':c' .. band .. chunk, 0, -1, 'WITHSCORES')
        cursor.at = 1
    end
    return cursor
end

-- The next one's sequence, its band after ageing and when it was due; nil where nothing more is due.
local function best()
    local found, found_rank, found_due, found_number
    for band = 0, 3 do
        local cursor = head(band)
        local due = cursor and tonumber(cursor.entries[cursor.at + 1])
        if due and due + delay(band) <= now then
            local number = first_of(cursor.entries[cursor.at])
            local rank = math.max(0, band - math.floor((now - due) / ageing))
            if not found or rank < found_rank
                or (rank == found_rank and (due < found_due or (due == found_due and number < found_number))) then
                found, found_rank, found_due, found_number = cursor, rank, due, number
            end
        end
    end
    if not found then return nil end
    found.at = found.at + 2
    return found_number, found_rank, found_due
end

-- Removes what best has given from what is filed.
local function take_away()
    for band, cursor in pairs(cursors) do
        for place, chunk in ipairs(cursor.read) do
            local key = K .. ':c' .. band .. chunk
            if place < #cursor.read or cursor.at > #cursor.entries then
                call('DEL', key)
                call('ZREM', K .. ':t' .. band, chunk)
            elseif cursor.at > 1 then
                call('ZREMRANGEBYRANK', key, 0, (cursor.at - 1) / 2 - 1)
            end
        end
    end
end
