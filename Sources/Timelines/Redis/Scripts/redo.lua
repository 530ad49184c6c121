-- Does again, in order, what the last server did and this one has not heard of. Whatever this one has, or has newer of the same id, is left alone.
-- ARGV[3...]: changes. A change: its number (6), the sequence before it (6), the time (6), kind (1), outcome (1); then
--   kind 0  a put: what put takes
--   kind 1  a cancel: digest
--   kind 2  a settlement: digest, generation (6), result (1), due (6), then its successors, each with its length (4)
-- Answers how many were done.
call('HDEL', K .. ':m', '')
local SETTLED = 0

local function is_lost(number, digest)
    for i = 1, #holes, 12 do
        local base, last = struct.unpack('<I6I6', holes, i)
        if number > base and number <= last then
            return number > tonumber(call('HGET', K .. ':z', digest) or 0)
        end
    end
    return false
end

local function successors_in(body)
    local list, at = {}, 14 + ID
    while at <= #body do
        local length = struct.unpack('<I4', body, at)
        list[#list + 1] = string.sub(body, at + 4, at + 3 + length)
        at = at + 4 + length
    end
    return list
end

-- The claim that was settled may be unknown here, or the push lent again since.
local function settle_again(digest, body, outcome)
    local generation, result, due = struct.unpack('<I6Bi6', body, 1 + ID)
    local successors = successors_in(body)
    if settle(digest, generation, result, due, successors) ~= 3 then return end
    local number, batch = holder(digest)
    if number and outcome == SETTLED then
        if not batch then
            local push = read(number)
            unfile(number, push)
            finish(number, push, digest, result, due)
        elseif result == DONE then
            cancel(digest)
        end
    end
    for _, words in ipairs(successors) do
        if outcome == SETTLED or string.sub(words, 17, 16 + ID) ~= digest then put(words) end
    end
end

local done, clock, newest = 0, now, seq
for i = 3, #ARGV do
    local number, first, time, kind, outcome = struct.unpack('<I6I6i6BB', ARGV[i])
    local body = string.sub(ARGV[i], 21)
    local digest = kind == 0 and string.sub(body, 17, 16 + ID) or string.sub(body, 1, ID)
    if is_lost(number, digest) then
        now, seq = time, first
        if kind == 0 then
            put(body)
        elseif kind == 1 then
            cancel(digest)
        else
            settle_again(digest, body, outcome)
        end
        now, seq = clock, newest
        dirty = true
        remember(digest, number)
        done = done + 1
    end
end
return answer(done)
