-- Ids by their digests: buckets that stay small, and grow one by one.
-- The bucket of an id: the low bits of its digest, one fewer where that bucket is still to come.
local function bucket(index, digest)
    if not index.low then
        local _, exponent = math.frexp(index.buckets)
        index.low = math.ldexp(1, exponent - 1)
    end
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
