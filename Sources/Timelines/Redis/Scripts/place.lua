-- Puts pushes in as they were elsewhere. ARGV[3]: where to publish that something is due earlier; [4...]: attempt (2), accepted (6), asked (6), first and
-- last of its group (6 each), whether that is open (1), how many payloads it has collected (1), each as a content with its length (4); then what put takes.
-- 0: put in; 1: the id is pending here.
call('HSET', K .. ':m', 'n', numbers())
local before = next_due()

local function place(words, push, first, last, is_open, collected)
    local due, band, mode = struct.unpack('<i6BB', words)
    local digest = string.sub(words, 17, 16 + ID)
    if holder(digest) then return 1 end
    local key = mode > 0 and string.sub(words, 17 + ID, 16 + 2 * ID)
    push.due, push.band = due, band
    push.content = string.sub(words, 17 + (key and 2 or 1) * ID)
    if key then
        push.group = digest
        call('HSET', K .. ':w', digest, struct.pack('<i6i6', first, last) .. key)
        if is_open then call('HSETNX', K .. ':g', key, digest) end
        for _, content in ipairs(collected) do call('RPUSH', K .. ':x' .. digest, content) end
    end
    seq = seq + 1
    write(seq, push)
    enter(ids, digest, seq)
    count(push, 1)
    file(seq, push)
    return 0
end

local outcomes = {}
for i = 4, #ARGV do
    local push, collected, at = {}, {}, nil
    local first, last, is_open, count
    push.attempt, push.accepted, push.asked, first, last, is_open, count, at = struct.unpack('<Hi6i6i6i6BB', ARGV[i])
    for number = 1, count do
        local length
        length, at = struct.unpack('<I4', ARGV[i], at)
        collected[number] = string.sub(ARGV[i], at, at + length - 1)
        at = at + length
    end
    local words = string.sub(ARGV[i], at)
    outcomes[i - 3] = place(words, push, first, last, is_open == 1, collected)
    change(string.sub(words, 17, 16 + ID), outcomes[i - 3] == 0)
end
local result = answer(outcomes)
if result[3] and (not before or result[3] < before) then
    call('PUBLISH', ARGV[3], K .. ' ' .. text(result[3]))
end
return result
