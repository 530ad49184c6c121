-- ARGV[3...]: settlements, each followed by its successors. A settlement: digest (10), generation (6), result (1), due (6), successors (2).
-- Answers the outcomes, and the sequence before each and after the last.
call('HDEL', K .. ':m', '')
-- What is done and has no successors, and neither was cancelled nor has a newer version behind it: all of it in a few commands. Left to `settle` where anything in the call has
-- successors, which might be about the same ids. Answers the outcomes of those that it has ended, by their places.
local function settle_plain(settlements)
    local ended, places, numbers, names, seen = {}, {}, {}, {}, {}
    for place, s in ipairs(settlements) do
        if #s[5] > 0 then return ended end
        if s[3] == DONE and not seen[s[1]] then
            seen[s[1]] = true
            local number = lookup(ids, s[1])
            if number then
                places[#places + 1], numbers[#numbers + 1], names[#names + 1] = place, number, text(number)
            end
        end
    end
    if #numbers == 0 then return ended end
    local flights = call('HMGET', FLIGHTS, unpack(names))
    local leases = call('ZMSCORE', LEASES, unpack(names))
    local parked = call('HMGET', PARKED, unpack(names))
    local records = read_all(numbers)
    local gone, gone_names, buckets = {}, {}, {}
    for i, number in ipairs(numbers) do
        local digest, push = settlements[places[i]][1], records[number]
        local flight = flights[i]
        if flight and struct.unpack('<I6', flight) == settlements[places[i]][2] and string.byte(flight, 7) == 0 and not parked[i]
            and tonumber(leases[i]) > steady then
            drop_group(push)
            count(push, -1)
            gone[#gone + 1], gone_names[#gone_names + 1] = number, names[i]
            local key = bucket(ids, digest)
            buckets[key] = buckets[key] or {}
            table.insert(buckets[key], digest)
            ended[places[i]] = 0
        end
    end
    if #gone == 0 then return ended end
    flying = flying - #gone
    call('HDEL', FLIGHTS, unpack(gone_names))
    call('ZREM', LEASES, unpack(gone_names))
    for _, page_here in ipairs(pages_of(gone)) do call('HDEL', page_here.key, unpack(page_here.fields)) end
    for key, digests in pairs(buckets) do ids.size = ids.size - call('HDEL', key, unpack(digests)) end
    dirty = true
    return ended
end

local outcomes, sequences, i = {}, {}, 3
local settlements = {}
while i <= #ARGV do
    local generation, result, due, count = struct.unpack('<I6Bi6H', ARGV[i], 1 + ID)
    local successors = {}
    for number = 1, count do
        local words = ARGV[i + number]
        if struct.unpack('<i6', words) > now + HORIZON then return redis.error_reply('TOOFAR a successor is due too far ahead') end
        successors[number] = words
    end
    settlements[#settlements + 1] = { string.sub(ARGV[i], 1, ID), generation, result, due, successors }
    i = i + 1 + count
end
local ended = settle_plain(settlements)
for number, s in ipairs(settlements) do
    sequences[number] = seq
    outcomes[number] = ended[number] or settle(s[1], s[2], s[3], s[4], s[5])
    change(s[1], outcomes[number] < 3)
end
sequences[#sequences + 1] = seq
return answer({ outcomes, sequences })
