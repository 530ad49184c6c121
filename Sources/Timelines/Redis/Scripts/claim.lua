-- ARGV[3]: how many; [4]: lease in milliseconds; [5]: owner; [6]: milliseconds after which a push moves up a band.
call('HDEL', K .. ':m', '')
reap(256)
local wanted, lease, ageing = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
local cursors, claims, flights, leases = {}, {}, {}, {}

-- The first push of a band that was not taken yet; a chunk is read whole, and emptied when the next is needed or at the end.
local function head(band)
    local cursor = cursors[band]
    if cursor and cursor.at <= #cursor.entries then return cursor end
    local top = K .. ':t' .. band
    if cursor then
        if cursor.chunk then
            call('DEL', cursor.key)
            call('ZREM', top, cursor.chunk)
        else
            return nil
        end
    end
    local chunk = call('ZRANGE', top, 0, 0)[1]
    if not chunk then
        cursors[band] = { entries = {}, at = 1 }
        return nil
    end
    local key = K .. ':c' .. band .. chunk
    cursors[band] = { chunk = chunk, key = key, at = 1, entries = call('ZRANGE', key, 0, -1, 'WITHSCORES') }
    return cursors[band]
end

local function best()
    local found, found_rank, found_due, found_number
    for band = 0, 3 do
        local cursor = head(band)
        local due = cursor and tonumber(cursor.entries[cursor.at + 1])
        if due and due <= now then
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
    return found_number
end

local function lend(number)
    local push = read(number)
    if not push then return end
    stop_joining(push)
    gen = gen + 1
    flying = flying + 1
    flights[#flights + 1] = number
    flights[#flights + 1] = struct.pack('<I6B', gen, 0) .. ARGV[5]
    leases[#leases + 1] = text(steady + lease)
    leases[#leases + 1] = number
    local collected = push.group and call('LRANGE', K .. ':x' .. push.group, 0, -1) or {}
    claims[#claims + 1] = { number, gen, push.attempt, push.accepted, push.due, push.content, collected, push.asked }
end

while #claims < wanted do
    local number = best()
    if not number then break end
    lend(number)
end
for band = 0, 3 do
    local cursor = cursors[band]
    if cursor and cursor.at > 1 then
        if cursor.at > #cursor.entries then
            call('DEL', cursor.key)
            call('ZREM', K .. ':t' .. band, cursor.chunk)
        else
            call('ZREMRANGEBYRANK', cursor.key, 0, (cursor.at - 1) / 2 - 1)
        end
    end
end
if #claims > 0 then
    dirty = true
    call('HSET', K .. ':f', unpack(flights))
    call('ZADD', K .. ':l', unpack(leases))
end
return answer(claims)
