-- What is due when: of each band chunks, in order.
local TOP = { [0] = K .. ':t0', K .. ':t1', K .. ':t2', K .. ':t3' }
local CHUNKS = { [0] = K .. ':c0', K .. ':c1', K .. ':c2', K .. ':c3' }

-- The chunk that holds, or would hold, a push; and whether that is due before the first one begins.
local function chunk_of(band, due, number)
    local top = TOP[band]
    local last = call('ZREVRANGEBYSCORE', top, text(due), '-inf', 'WITHSCORES', 'LIMIT', '0', '1')
    if not last[1] then return call('ZRANGE', top, 0, 0)[1], true end
    if tonumber(last[2]) < due or first_of(last[1]) <= number then return last[1], false end
    -- Several begin with this due time: the last that begins with this sequence or an earlier one.
    local low = call('ZCOUNT', top, '-inf', '(' .. text(due))
    local high = call('ZCOUNT', top, '-inf', text(due)) - 1
    local best = math.max(low - 1, 0)
    while low <= high do
        local middle = math.floor((low + high) / 2)
        if first_of(call('ZRANGE', top, text(middle), text(middle))[1]) <= number then
            best, low = middle, middle + 1
        else
            high = middle - 1
        end
    end
    return call('ZRANGE', top, text(best), text(best))[1], false
end

local function new_chunk(band, due, number)
    chunks = chunks + 1
    local chunk = struct.pack('>I6I4', number, chunks % 4294967296)
    call('ZADD', TOP[band], text(due), chunk)
    return chunk
end

-- A chunk that is full: its later half, or only its last push where pushes come in order, begins another.
local function split(band, key, number)
    local from = call('ZRANGE', key, '-1', '-1')[1] == member(number) and '-1' or text(CHUNK / 2)
    local moved = call('ZRANGE', key, from, '-1', 'WITHSCORES')
    call('ZREMRANGEBYRANK', key, from, '-1')
    local target = CHUNKS[band] .. new_chunk(band, tonumber(moved[2]), first_of(moved[1]))
    local entries = {}
    for i = 1, #moved, 2 do
        entries[i], entries[i + 1] = moved[i + 1], moved[i]
    end
    call('ZADD', target, unpack(entries))
end

local function file(number, push)
    dirty = true
    local band = push.band
    local chunk, is_before = chunk_of(band, push.due, number)
    if not chunk then
        chunk = new_chunk(band, push.due, number)
    elseif is_before then
        call('ZADD', TOP[band], text(push.due), chunk)
    end
    local key = CHUNKS[band] .. chunk
    call('ZADD', key, text(push.due), member(number))
    if call('ZCARD', key) > CHUNK then split(band, key, number) end
end

local function unfile(number, push)
    dirty = true
    local chunk = chunk_of(push.band, push.due, number)
    if not chunk then return end
    local key = CHUNKS[push.band] .. chunk
    call('ZREM', key, member(number))
    if call('EXISTS', key) == 0 then call('ZREM', TOP[push.band], chunk) end
end
