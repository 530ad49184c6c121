-- One shard: what every script knows of it. All its keys share the hash tag of KEYS[1]:
--
--   :m           numbers: sequence, generation, changes, in flight, sizes of the indexes, chunk names, clocks, whose the shard is (adopt.lua), and whether it is closed (retire.lua)
--   :i<bucket>   id (10 bytes of its digest) -> sequence; the buckets grow one by one (linear hashing)
--   :d<bucket>   the directory: id (8 bytes) -> home shard, of ids whose digest belongs here
--   :r<page>     64 records by sequence, the low bits being the field
--   :t<band>     the chunks of a band, by what their first push is due; a chunk is named by its first sequence and a number
--   :c<band><n>  one chunk: up to 100 sequences by due time, small enough to stay a list
--   :f :l        what is in flight: generation, cancel and owner; when each lease ends by the steady clock
--   :p           the newer version that waits behind one in flight
--   :g :w :x<id> merging: key -> head, head -> span of the group, payloads collected by a head
--   :a           pending pushes of each account
--   :o           of the first shard: who claims, and when each was last heard of (presence.lua)
--   :h           a key that ends when the shard is next worth a look (ring-key.lua)
--   :z           after a fail-over, for some minutes: id -> the change that was the last of it
--
-- A record: due (6), accepted (6), attempt (2), band (1, plus 128 with a merge group, plus 64 where a hold or a retry has moved due), the
-- head's digest (10, with a group), when it was asked for (6, where due was moved), content: id with its length (2), account with its
-- length (1), and what no script reads.
local K = KEYS[1]
-- The run of the server, as it has told whoever asks.
local server = table.remove(ARGV, 1)
local call = redis.call
local now = wallclock()
local HORIZON = 366 * 20 * 86400000
local PAGE, CHUNK, BUCKET = 64, 100, 64
-- Of a digest, in bytes.
local ID = 10
-- More than one server can have done that the next one has not heard of: so many numbers are left out then; and how long one remembers which change
-- was the last of an id, in milliseconds.
local HOLE, WINDOW = 16777216, 600000

-- As Redis takes it: a number that is handed over as it is goes through the formatting of floating point, which takes longer than most commands.
local function text(number) return string.format('%d', number) end

local meta = call('HMGET', K .. ':m', 'seq', 'gen', 'flying', 'ids', 'idb', 'homes', 'homeb', 'chunk', 'steady', 'wall', 'lsn', 'run', 'heir', 'holes', 'window', 'rung', 'retired')
local seq, gen, flying = tonumber(meta[1] or 0), tonumber(meta[2] or 0), tonumber(meta[3] or 0)
local chunks = tonumber(meta[8] or 0)
-- Changes are counted, so that it can be told which of them a server has.
local lsn, run, heir, holes = tonumber(meta[11] or 0), meta[12], meta[13], meta[14] or ''
local window, rung = tonumber(meta[15] or nil), meta[16]
local first_seq, first_lsn = seq, lsn
local accounts, dirty = {}, false

-- Leases are counted on a clock that no wall clock moves: callers tell how much time has passed by their own steady clocks since they
-- last heard of it, and the farthest of them counts. Only whoever has not heard of it yet goes by the wall clock.
local steady = tonumber(meta[9] or nil)
local passed = tonumber(ARGV[1])
if not steady then
    steady = passed or now
elseif passed then
    steady = math.max(steady, passed)
else
    steady = steady + math.max(0, now - tonumber(meta[10]))
end

-- MARK: Keys

local TOP, CHUNKS = {}, {}
for band = 0, 3 do
    TOP[band], CHUNKS[band] = K .. ':t' .. band, K .. ':c' .. band
end
local FLIGHTS, LEASES, PARKED = K .. ':f', K .. ':l', K .. ':p'

local function page(number) return K .. ':r' .. text(math.floor(number / PAGE)) end

local function field(number) return text(number % PAGE) end

-- MARK: Indexes

local function power(buckets)
    local low = 1
    while low * 2 <= buckets do low = low * 2 end
    return low
end

local function index(name, size, buckets)
    return { name = K .. name, size = tonumber(size or 0), buckets = tonumber(buckets or 1), low = power(tonumber(buckets or 1)) }
end

local ids = index(':i', meta[4], meta[5])
local homes = index(':d', meta[6], meta[7])

local function bucket(index, digest)
    local number = struct.unpack('<I4', digest)
    local place = number % (index.low * 2)
    if place >= index.buckets then place = number % index.low end
    return index.name .. text(place)
end

local function lookup(index, digest)
    return tonumber(call('HGET', bucket(index, digest), digest) or nil)
end

-- Moves what belongs into one bucket more.
local function grow(index)
    local source, target = index.buckets - index.low, index.buckets
    local entries = call('HGETALL', index.name .. text(source))
    local moved, gone = {}, {}
    for i = 1, #entries, 2 do
        if struct.unpack('<I4', entries[i]) % (index.low * 2) == target then
            moved[#moved + 1] = entries[i]
            moved[#moved + 1] = entries[i + 1]
            gone[#gone + 1] = entries[i]
        end
    end
    index.buckets = index.buckets + 1
    if index.buckets == index.low * 2 then index.low = index.buckets end
    if #gone == 0 then return end
    call('HSET', index.name .. text(target), unpack(moved))
    call('HDEL', index.name .. text(source), unpack(gone))
end

local function enter(index, digest, value)
    dirty = true
    if call('HSET', bucket(index, digest), digest, text(value)) == 0 then return end
    index.size = index.size + 1
    if index.size > index.buckets * BUCKET then grow(index) end
end

local function leave(index, digest)
    dirty = true
    index.size = index.size - call('HDEL', bucket(index, digest), digest)
end

-- MARK: Records

local function parse(record)
    local push = {}
    push.due, push.accepted, push.attempt, push.band = struct.unpack('<i6I6HB', record)
    local start = 16
    if push.band >= 128 then
        push.band = push.band - 128
        push.group = string.sub(record, 16, 15 + ID)
        start = 16 + ID
    end
    push.asked = push.due
    if push.band >= 64 then
        push.band = push.band - 64
        push.asked = struct.unpack('<i6', record, start)
        start = start + 6
    end
    push.content = string.sub(record, start)
    return push
end

local function read(number)
    local record = call('HGET', page(number), field(number))
    return record and parse(record) or nil
end

-- Sorts numbers by page: the key of each, its numbers and their fields.
local function pages_of(numbers)
    local pages, list = {}, {}
    for _, number in ipairs(numbers) do
        local key = math.floor(number / PAGE)
        local page_here = pages[key]
        if not page_here then
            page_here = { key = page(number), numbers = {}, fields = {} }
            pages[key] = page_here
            list[#list + 1] = page_here
        end
        page_here.numbers[#page_here.numbers + 1] = number
        page_here.fields[#page_here.fields + 1] = field(number)
    end
    return list
end

-- Records by number, a command for each page.
local function read_all(numbers)
    local records = {}
    for _, page_here in ipairs(pages_of(numbers)) do
        local found = call('HMGET', page_here.key, unpack(page_here.fields))
        for i, number in ipairs(page_here.numbers) do
            records[number] = found[i] and parse(found[i]) or nil
        end
    end
    return records
end

local function pack(push)
    local is_moved = push.asked ~= push.due
    local band = push.band + (push.group and 128 or 0) + (is_moved and 64 or 0)
    local asked = is_moved and struct.pack('<i6', push.asked) or ''
    return struct.pack('<i6I6HB', push.due, push.accepted, push.attempt, band) .. (push.group or '') .. asked .. push.content
end

local function write(number, push) call('HSET', page(number), field(number), pack(push)) end

local function erase(number) call('HDEL', page(number), field(number)) end

local function count(push, change)
    local length = struct.unpack('<H', push.content)
    local account = struct.unpack('Bc0', push.content, 3 + length)
    accounts[account] = (accounts[account] or 0) + change
    dirty = true
end

-- MARK: What is due when

local function member(number) return struct.pack('>I6', number) end

local function first_of(chunk) return (struct.unpack('>I6', chunk)) end

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

-- A claim that leaves low bands to wait: from this band on, what it lends has been due for so many milliseconds.
local deferred, longest = 4, 0

local function delay(band) return band >= deferred and longest or 0 end

-- When the first push of a band is due; nil with none.
local function head_due(band)
    local chunk = call('ZRANGE', TOP[band], '0', '0')[1]
    return chunk and tonumber(call('ZRANGE', CHUNKS[band] .. chunk, '0', '0', 'WITHSCORES')[2] or nil)
end

-- When the next push becomes due or the next lease ends; false with nothing pending.
local function next_due()
    local next = false
    for band = 0, 3 do
        local due = head_due(band)
        if due and (not next or due + delay(band) < next) then next = due + delay(band) end
    end
    if flying > 0 then
        local lease = call('ZRANGE', LEASES, '0', '0', 'WITHSCORES')
        local ends = now + tonumber(lease[2]) - steady
        if not next or ends < next then next = ends end
    end
    return next
end

-- MARK: Groups that merge

-- Nothing joins this push any more.
local function stop_joining(push)
    if not push.group then return end
    local span = call('HGET', K .. ':w', push.group)
    if not span then return end
    local key = string.sub(span, 13)
    if call('HGET', K .. ':g', key) == push.group then call('HDEL', K .. ':g', key) end
end

local function drop_group(push)
    if not push.group then return end
    stop_joining(push)
    call('HDEL', K .. ':w', push.group)
    call('DEL', K .. ':x' .. push.group)
end

-- MARK: Ends

local function remove(number, push, digest)
    drop_group(push)
    erase(number)
    leave(ids, digest)
    count(push, -1)
end

local function land(number)
    dirty = true
    flying = flying - 1
    call('HDEL', FLIGHTS, text(number))
    call('ZREM', LEASES, text(number))
end

-- The newer version takes the place of one whose claim has ended.
local function unpark(number, push, parked)
    local newer = struct.unpack('<I6', parked)
    local digest = string.sub(parked, 7, 6 + ID)
    call('HDEL', PARKED, text(number))
    drop_group(push)
    erase(number)
    count(push, -1)
    call('HSET', page(newer), field(newer), string.sub(parked, 7 + ID))
    push = read(newer)
    enter(ids, digest, newer)
    count(push, 1)
    file(newer, push)
end

-- Takes back a claim: what was parked or cancelled meanwhile counts, otherwise it is due again.
local function end_lease(number)
    local flight = call('HGET', FLIGHTS, text(number))
    local parked = call('HGET', PARKED, text(number))
    local push = read(number)
    land(number)
    gen = gen + 1
    if parked then
        unpark(number, push, parked)
    elseif string.byte(flight, 7) == 1 then
        remove(number, push, string.sub(flight, 8, 7 + ID))
    else
        file(number, push)
    end
end

local function reap(limit)
    if flying == 0 then return end
    local ended = call('ZRANGEBYSCORE', LEASES, '-inf', text(steady), 'LIMIT', '0', text(limit))
    for _, number in ipairs(ended) do end_lease(tonumber(number)) end
end

-- A pending push by id: its sequence, and its flight where a lease holds it; a lease that is over ends here.
local function holder(digest)
    local number = lookup(ids, digest)
    if not number or flying == 0 then return number, nil end
    local flight = call('HGET', FLIGHTS, text(number))
    if not flight then return number, nil end
    if tonumber(call('ZSCORE', LEASES, text(number))) > steady then return number, flight end
    end_lease(number)
    return lookup(ids, digest), nil
end

-- MARK: Changes

local function remember(digest, number)
    call('HSET', K .. ':z', digest, text(number))
    call('PEXPIRE', K .. ':z', text(WINDOW))
end

-- Counts what was asked about an id, also where it had no effect. What is done again after a fail-over must not undo it.
local function change(digest, has_effect)
    lsn = lsn + 1
    local is_remembered = window and now < window
    -- A number that stands somewhere is never given again.
    dirty = dirty or has_effect or is_remembered
    if is_remembered then remember(digest, lsn) end
end

-- MARK: Puts

local function add(digest, push, key, base)
    seq = seq + 1
    if key then
        push.group = digest
        call('HSET', K .. ':w', digest, struct.pack('<i6i6', base, base) .. key)
        call('HSET', K .. ':g', key, digest)
    end
    write(seq, push)
    enter(ids, digest, seq)
    count(push, 1)
    file(seq, push)
end

-- The head of a group takes the content of a push that joins it, under its own id. False where that is due too late to join.
local function join(head, push, mode, grace, wait)
    local base = math.max(push.due, now)
    local span = call('HGET', K .. ':w', head)
    local first, last = struct.unpack('<i6i6', span)
    first, last = math.min(first, base), math.max(last, base)
    if last > first + wait then return false end
    local number = lookup(ids, head)
    local old = read(number)
    local collected = K .. ':x' .. head
    if mode ~= 2 then
        call('DEL', collected)
    elseif call('LLEN', collected) < 15 then
        call('RPUSH', collected, old.content)
    end
    call('HSET', K .. ':w', head, struct.pack('<i6i6', first, last) .. string.sub(span, 13))
    unfile(number, old)
    erase(number)
    local id = string.sub(old.content, 1, 2 + struct.unpack('<H', old.content))
    push.content = id .. string.sub(push.content, 3 + struct.unpack('<H', push.content))
    push.due = math.min(first + wait, last + grace)
    push.asked = push.due
    push.attempt, push.group = old.attempt, head
    seq = seq + 1
    write(seq, push)
    enter(ids, head, seq)
    file(seq, push)
    return true
end

-- Accepts one push: 0 accepted, 1 replaced, 2 parked, 3 merged, 4 due too far ahead.
local function put(words)
    local due, band, mode, grace, wait = struct.unpack('<i6BBI4I4', words)
    if due > now + HORIZON then return 4 end
    local digest = string.sub(words, 17, 16 + ID)
    local key = mode > 0 and string.sub(words, 17 + ID, 16 + 2 * ID) or nil
    local push = { due = due, accepted = now, attempt = 0, band = band }
    push.content = string.sub(words, 17 + (key and 2 or 1) * ID)
    local base = math.max(due, now)
    local alone = key and base + math.min(grace, wait) or due
    local number, flight = holder(digest)
    if flight then
        seq = seq + 1
        push.due, push.asked = alone, alone
        call('HSET', PARKED, text(number), struct.pack('<I6', seq) .. digest .. pack(push))
        dirty = true
        return 2
    end
    if number then
        local old = read(number)
        unfile(number, old)
        drop_group(old)
        erase(number)
        count(old, -1)
    elseif key then
        local head = call('HGET', K .. ':g', key)
        if head and join(head, push, mode, grace, wait) then return 3 end
    end
    push.due, push.asked = alone, alone
    add(digest, push, key, base)
    return number and 1 or 0
end

-- MARK: The end of every script

-- Writes down what has changed. Beside the answer it tells the clocks and when to look next; the change and the sequence before the first of this call; and the change with which
-- the newest server began.
local function answer(reply)
    if dirty then
        call('HSET', K .. ':m', 'seq', text(seq), 'gen', text(gen), 'lsn', text(lsn), 'flying', text(flying), 'ids', text(ids.size),
            'idb', text(ids.buckets), 'homes', text(homes.size), 'homeb', text(homes.buckets), 'chunk', text(chunks), 'steady', text(steady),
            'wall', text(now))
        for account, change in pairs(accounts) do
            if change ~= 0 and call('HINCRBY', K .. ':a', account, text(change)) <= 0 then call('HDEL', K .. ':a', account) end
        end
    end
    local floor = #holes > 0 and struct.unpack('<I6', holes, #holes - 5) or 0
    local next = next_due()
    if next and next > now and text(next) ~= rung then ring(K, next, text(next), next - now) end
    return { now, steady, next, reply, first_lsn, first_seq, floor }
end
