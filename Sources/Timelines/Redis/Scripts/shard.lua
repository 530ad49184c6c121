-- One shard: what every script knows of it. All its keys share the hash tag of KEYS[1]:
--
--   :m           numbers in one word (n): sequence, generation, changes, in flight, sizes of the indexes, chunk names, clocks; whose the shard is and the name of what lies in it (adopt.lua), and whether it is closed (retire.lua)
--   :i<bucket>   id (10 bytes of its digest) -> sequence; the buckets grow one by one (linear hashing)
--   :d<bucket>   the directory: id (8 bytes) -> home shard, of ids whose digest belongs here
--   :r<page>     64 records by sequence, the low bits being the field
--   :t<band>     the chunks of a band, by what their first push is due; a chunk is named by its first sequence and a number
--   :c<band><n>  one chunk: up to 100 sequences by due time, small enough to stay a list
--   :f :l        what is in flight, batch by batch (see below); when the lease of each ends by the steady clock
--   :k           cancelled while in flight: sequence -> id (10)
--   :p           the newer version that waits behind one in flight
--   :g :w :x<id> merging: key -> head, head -> span of the group, payloads collected by a head
--   :a           pending pushes of each account
--   :o           of the first shard: who claims, and when each was last heard of (presence.lua)
--   :layout      of the first shard: format, number of shards, and whose records they belong to (layout.lua)
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

local meta = call('HMGET', K .. ':m', 'n', 'run', 'heir', 'holes', 'window', 'rung', 'retired')
local NUMBERS = '<I6I6I6I6I6I6I6I6I6i6i6'
local seq, gen, lsn, flying, id_count, id_buckets, home_count, home_buckets, chunks, steady, wall = 0, 0, 0, 0, 0, 1, 0, 1, 0, nil, nil
if meta[1] then
    seq, gen, lsn, flying, id_count, id_buckets, home_count, home_buckets, chunks, steady, wall = struct.unpack(NUMBERS, meta[1])
end
-- Changes are counted, so that it can be told which of them a server has.
local run, heir, holes, window, rung, retired = meta[2], meta[3], meta[4] or '', tonumber(meta[5] or nil), meta[6], meta[7]
local first_seq, first_lsn = seq, lsn
local accounts, dirty = {}, false
-- Writes down what is left of batches (batches.lua), where a script knows of any.
local keep_batches

-- Leases are counted on a clock that no wall clock moves: callers tell how much time has passed by their own steady clocks since they
-- last heard of it, and the farthest of them counts. Only whoever has not heard of it yet goes by the wall clock.
local passed, heard = string.match(ARGV[1], '^(%d*)/(%d+)$')
passed = tonumber(passed or nil)
-- The change that was the last when the caller last heard of the shard.
heard = tonumber(heard or 0)
if not steady then
    steady = passed or now
elseif passed then
    steady = math.max(steady, passed)
else
    steady = steady + math.max(0, now - wall)
end

local FLIGHTS, LEASES, KILLED, PARKED = K .. ':f', K .. ':l', K .. ':k', K .. ':p'

-- A sequence, as chunks and batches hold it; and the first of a chunk.
local function member(number) return struct.pack('>I6', number) end

local function first_of(chunk) return (struct.unpack('>I6', chunk)) end

-- Pending ids, and the directory.
local ids = { name = K .. ':i', size = id_count, buckets = id_buckets }
local homes = { name = K .. ':d', size = home_count, buckets = home_buckets }

local function numbers()
    return struct.pack(NUMBERS, seq, gen, lsn, flying, ids.size, ids.buckets, homes.size, homes.buckets, chunks, steady, now)
end

-- Writes down what has changed. Beside the reply it tells the clocks and when to look next ('as before' where the script has changed nothing of it); the change and the sequence before the first of this call; the
-- change with which the newest server began; and the change that is the last now.
local function conclude(reply, next)
    if keep_batches then keep_batches() end
    if dirty then
        call('HSET', K .. ':m', 'n', numbers())
        for account, change in pairs(accounts) do
            if change ~= 0 and call('HINCRBY', K .. ':a', account, text(change)) <= 0 then call('HDEL', K .. ':a', account) end
        end
    end
    local floor = #holes > 0 and struct.unpack('<I6', holes, #holes - 5) or 0
    return { now, steady, next, reply, first_lsn, first_seq, floor, dirty and lsn or first_lsn }
end
