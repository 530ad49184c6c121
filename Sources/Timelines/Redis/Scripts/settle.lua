-- ARGV[3...]: settlements, each followed by its successors. A settlement: digest (10), generation (6), result (1), due (6), successors (2).
call('HDEL', K .. ':m', '')
local DONE, RETRY = 0, 1

local function settle(digest, generation, result, due, successors)
    local number, flight = holder(digest)
    if not flight or struct.unpack('<I6', flight) ~= generation then return 3 end
    local push = read(number)
    local parked = call('HGET', K .. ':p', number)
    local is_cancelled = string.byte(flight, 7) == 1
    land(number)
    if is_cancelled and not parked then
        remove(number, push, digest)
        return 1
    end
    -- A cancel that came before the newer version ended this one all the same: no successors.
    if is_cancelled then successors = {} end
    if parked then
        unpark(number, push, parked)
        for _, words in ipairs(successors) do
            if string.sub(words, 17, 16 + ID) ~= digest then put(words) end
        end
        return 2
    end
    if result == DONE then
        remove(number, push, digest)
    else
        push.due = due
        if result == RETRY then push.attempt = math.min(push.attempt + 1, 65535) end
        write(number, push)
        file(number, push)
    end
    for _, words in ipairs(successors) do put(words) end
    return 0
end

local outcomes, i = {}, 3
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
for number, s in ipairs(settlements) do outcomes[number] = settle(s[1], s[2], s[3], s[4], s[5]) end
return answer(outcomes)
